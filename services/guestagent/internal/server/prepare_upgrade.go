package server

import (
	"context"
	"time"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// upgradeLimit leaves time to clone, dump or convert a large database.
const upgradeLimit = 12 * time.Hour

// PrepareUpgrade stops the database and keeps a clone of its data.
func (s *Server) PrepareUpgrade(
	request *guestagentv1.PrepareUpgradeRequest, stream grpc.ServerStreamingServer[guestagentv1.PrepareUpgradeResponse],
) error {
	version := request.GetVersion()
	return change(s, stream,
		func(p *guestagentv1.Progress) *guestagentv1.PrepareUpgradeResponse {
			return &guestagentv1.PrepareUpgradeResponse{Progress: p}
		},
		request.GetOperation(), "prepare_upgrade", "", upgradeLimit,
		unmarked(func(ctx context.Context, tell func(string)) error {
			return s.Instance.PrepareUpgrade(ctx, version, tell)
		}))
}
