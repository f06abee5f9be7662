package call

import (
	"context"
	"log/slog"

	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

// around is one thing that happens around a call, unary or stream alike.
type around func(ctx context.Context, method string, next func(context.Context) error) error

// Chain is the interceptors of one face of the api.
type Chain struct {
	Unary  []grpc.UnaryServerInterceptor
	Stream []grpc.StreamServerInterceptor
}

// Public is the face that users see: nobody gets in without a good token for the project that the request names.
func Public(authenticator identity.Authenticator, figures *Figures, logger *slog.Logger) Chain {
	return chain(
		nameRequest,
		figures.count,
		showErrors(logger),
		recoverPanics,
		authenticate(authenticator),
	).with(checkProject, checkStreamProject)
}

// Internal is the face that taskmanagers see. Who they are is settled by the connection.
func Internal(figures *Figures, logger *slog.Logger) Chain {
	return chain(
		nameRequest,
		figures.count,
		showErrors(logger),
		recoverPanics,
	)
}

func chain(arounds ...around) Chain {
	var c Chain
	for _, a := range arounds {
		c = c.with(a.unary, a.stream)
	}
	return c
}

func (c Chain) with(unary grpc.UnaryServerInterceptor, stream grpc.StreamServerInterceptor) Chain {
	return Chain{Unary: append(c.Unary, unary), Stream: append(c.Stream, stream)}
}

func (a around) unary(
	ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (response any, err error) {
	err = a(ctx, info.FullMethod, func(ctx context.Context) error {
		response, err = handler(ctx, request)
		return err
	})
	if err != nil {
		return nil, err
	}
	return response, nil
}

func (a around) stream(
	server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	return a(stream.Context(), info.FullMethod, func(ctx context.Context) error {
		return handler(server, streamIn{ServerStream: stream, ctx: ctx})
	})
}

// streamIn is a stream in another context.
type streamIn struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // a stream's context is asked of the stream
}

// Context is the other context.
func (s streamIn) Context() context.Context { return s.ctx }
