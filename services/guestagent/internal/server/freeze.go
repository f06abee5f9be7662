package server

import (
	"context"
	"time"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// freezeLimit bounds a freeze, and its end: a database that hangs must not keep out who wants to go back.
const freezeLimit = 30 * time.Second

// Freeze ends all writing, for good.
func (s *Server) Freeze(request *guestagentv1.FreezeRequest, stream grpc.ServerStreamingServer[guestagentv1.FreezeResponse]) error {
	return changeRole(s, stream,
		func(p *guestagentv1.Progress) *guestagentv1.FreezeResponse {
			return &guestagentv1.FreezeResponse{Progress: p}
		},
		request.GetOperation(), "freeze", freezeLimit,
		func(ctx context.Context, _ func(string)) error { return s.Instance.Freeze(ctx) },
		func(ctx context.Context, done *guestagentv1.Progress) (*guestagentv1.FreezeResponse, error) {
			position, err := s.Instance.FrozenAt(ctx)
			return &guestagentv1.FreezeResponse{Progress: done, Position: position}, err
		})
}
