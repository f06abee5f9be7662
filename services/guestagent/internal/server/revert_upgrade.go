package server

import (
	"context"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// RevertUpgrade puts the clone back and starts the database.
func (s *Server) RevertUpgrade(
	request *guestagentv1.RevertUpgradeRequest, stream grpc.ServerStreamingServer[guestagentv1.RevertUpgradeResponse],
) error {
	return change(s, stream,
		func(p *guestagentv1.Progress) *guestagentv1.RevertUpgradeResponse {
			return &guestagentv1.RevertUpgradeResponse{Progress: p}
		},
		request.GetOperation(), "revert_upgrade", "", upgradeLimit,
		unmarked(func(ctx context.Context, tell func(string)) error { return s.Instance.RevertUpgrade(ctx, tell) }))
}
