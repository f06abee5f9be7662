package server

import (
	"context"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// FinishUpgrade removes what was kept for the way back.
func (s *Server) FinishUpgrade(
	request *guestagentv1.FinishUpgradeRequest, stream grpc.ServerStreamingServer[guestagentv1.FinishUpgradeResponse],
) error {
	return change(s, stream,
		func(p *guestagentv1.Progress) *guestagentv1.FinishUpgradeResponse {
			return &guestagentv1.FinishUpgradeResponse{Progress: p}
		},
		request.GetOperation(), "finish_upgrade", "", upgradeLimit,
		unmarked(func(ctx context.Context, _ func(string)) error { return s.Instance.FinishUpgrade(ctx) }))
}
