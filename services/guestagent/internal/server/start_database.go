package server

import (
	"context"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// StartDatabase starts the database and keeps it running.
func (s *Server) StartDatabase(
	request *guestagentv1.StartDatabaseRequest, stream grpc.ServerStreamingServer[guestagentv1.StartDatabaseResponse],
) error {
	loop, err := s.Instance.Loop()
	if err != nil {
		return err
	}
	return change(s, stream,
		func(p *guestagentv1.Progress) *guestagentv1.StartDatabaseResponse {
			return &guestagentv1.StartDatabaseResponse{Progress: p}
		},
		request.GetOperation(), "start_database", "", startLimit,
		unmarked(func(ctx context.Context, tell func(string)) error {
			tell("starting the database")
			return loop.RequestAndWaitStart(ctx)
		}))
}
