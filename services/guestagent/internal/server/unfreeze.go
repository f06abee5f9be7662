package server

import (
	"context"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// Unfreeze lets a frozen source write again.
func (s *Server) Unfreeze(
	request *guestagentv1.UnfreezeRequest, stream grpc.ServerStreamingServer[guestagentv1.UnfreezeResponse],
) error {
	message := func(p *guestagentv1.Progress) *guestagentv1.UnfreezeResponse {
		return &guestagentv1.UnfreezeResponse{Progress: p}
	}
	return changeRole(s, stream, message, request.GetOperation(), "unfreeze", freezeLimit,
		func(ctx context.Context, _ func(string)) error { return s.Instance.Unfreeze(ctx) }, plain(message))
}
