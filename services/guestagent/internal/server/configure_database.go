package server

import (
	"context"
	"time"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// configureLimit is for the writing of a file.
const configureLimit = time.Minute

// ConfigureDatabase writes the configuration for another flavor's memory.
func (s *Server) ConfigureDatabase(
	request *guestagentv1.ConfigureDatabaseRequest, stream grpc.ServerStreamingServer[guestagentv1.ConfigureDatabaseResponse],
) error {
	memory := int(request.GetRam())
	return change(s, stream,
		func(p *guestagentv1.Progress) *guestagentv1.ConfigureDatabaseResponse {
			return &guestagentv1.ConfigureDatabaseResponse{Progress: p}
		},
		request.GetOperation(), "configure_database", "", configureLimit,
		unmarked(func(ctx context.Context, _ func(string)) error { return s.Instance.Configure(ctx, memory) }))
}
