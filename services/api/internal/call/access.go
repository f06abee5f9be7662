package call

import (
	"context"

	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

const (
	tokenKey        = "x-auth-token"    //nolint:gosec // the name of a header
	serviceTokenKey = "x-service-token" //nolint:gosec // the name of a header
)

// authenticate puts the caller into the context.
func authenticate(authenticator identity.Authenticator) around {
	return func(ctx context.Context, _ string, next func(context.Context) error) error {
		caller, err := authenticator.Authenticate(ctx, identity.Credentials{
			Token: first(ctx, tokenKey), ServiceToken: first(ctx, serviceTokenKey),
		})
		if err != nil {
			return err
		}
		return next(identity.NewContext(ctx, caller))
	}
}

// checkProject holds for admins too: the project of a request must be the token's, as in trove/common/auth.py.
func checkProject(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if err := projectOf(ctx, request); err != nil {
		return nil, err
	}
	return handler(ctx, request)
}

func checkStreamProject(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return handler(server, checkedStream{stream})
}

// checkedStream checks each message that comes in.
type checkedStream struct{ grpc.ServerStream }

// RecvMsg receives a message for the caller's project, and refuses any other.
func (s checkedStream) RecvMsg(message any) error {
	if err := s.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	return projectOf(s.Context(), message)
}

func projectOf(ctx context.Context, request any) error {
	caller, authenticated := identity.FromContext(ctx)
	named, names := request.(interface{ GetProjectId() string })
	if !authenticated || names && (caller.ProjectID == "" || named.GetProjectId() != caller.ProjectID) {
		return errs.New(errs.Forbidden, "WRONG_PROJECT",
			"User with tenant id %s cannot access this resource.", caller.ProjectID)
	}
	return nil
}
