package server

import (
	"context"
	"time"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// growLimit leaves time for a large file system on a slow disk.
const growLimit = 15 * time.Minute

// GrowVolume makes the file system fill its grown volume.
func (s *Server) GrowVolume(
	request *guestagentv1.GrowVolumeRequest, stream grpc.ServerStreamingServer[guestagentv1.GrowVolumeResponse],
) error {
	return change(s, stream,
		func(p *guestagentv1.Progress) *guestagentv1.GrowVolumeResponse {
			return &guestagentv1.GrowVolumeResponse{Progress: p}
		},
		request.GetOperation(), "grow_volume", "", growLimit,
		unmarked(func(ctx context.Context, _ func(string)) error {
			return s.Instance.GrowVolume(ctx, int(request.GetSize()))
		}))
}
