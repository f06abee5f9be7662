package server

import (
	"context"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// UpgradeDatabase converts the data and starts the database.
func (s *Server) UpgradeDatabase(
	request *guestagentv1.UpgradeDatabaseRequest, stream grpc.ServerStreamingServer[guestagentv1.UpgradeDatabaseResponse],
) error {
	version := request.GetVersion()
	return change(s, stream,
		func(p *guestagentv1.Progress) *guestagentv1.UpgradeDatabaseResponse {
			return &guestagentv1.UpgradeDatabaseResponse{Progress: p}
		},
		request.GetOperation(), "upgrade_database", "", upgradeLimit,
		unmarked(func(ctx context.Context, tell func(string)) error {
			return s.Instance.UpgradeDatabase(ctx, version, tell)
		}))
}
