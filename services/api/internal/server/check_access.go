package server

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	identityv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/identity/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/policy"
)

// CheckAccess has little left to do: the interceptors have asked for token and project.
func (*Server) CheckAccess(
	ctx context.Context, request *identityv1.CheckAccessRequest,
) (*identityv1.CheckAccessResponse, error) {
	if request.GetManagement() && !policy.IsAdmin(callerOf(ctx)) {
		return nil, notAdmin()
	}
	return &identityv1.CheckAccessResponse{}, nil
}

// notAdmin is Trove's 401 for a caller with a good token who calls what is the admin's.
func notAdmin() error {
	return errs.New(errs.Unauthenticated, "NOT_ADMIN", "User does not have admin privileges.")
}
