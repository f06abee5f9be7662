package server

import (
	"context"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// Promote makes this server a source that writes.
func (s *Server) Promote(request *guestagentv1.PromoteRequest, stream grpc.ServerStreamingServer[guestagentv1.PromoteResponse]) error {
	return changeRole(s, stream,
		func(p *guestagentv1.Progress) *guestagentv1.PromoteResponse {
			return &guestagentv1.PromoteResponse{Progress: p}
		},
		request.GetOperation(), "promote", roleLimit,
		func(ctx context.Context, _ func(string)) error { return s.Instance.Promote(ctx) },
		func(_ context.Context, done *guestagentv1.Progress) (*guestagentv1.PromoteResponse, error) {
			return &guestagentv1.PromoteResponse{Progress: done, Position: s.Instance.Began()}, nil
		})
}
