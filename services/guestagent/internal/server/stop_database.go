package server

import (
	"context"
	"time"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// stopLimit is more than the loop takes before it kills the process.
const stopLimit = 5 * time.Minute

// StopDatabase stops the database and keeps it stopped.
func (s *Server) StopDatabase(
	request *guestagentv1.StopDatabaseRequest, stream grpc.ServerStreamingServer[guestagentv1.StopDatabaseResponse],
) error {
	loop, err := s.Instance.Loop()
	if err != nil {
		return err
	}
	return change(s, stream,
		func(p *guestagentv1.Progress) *guestagentv1.StopDatabaseResponse {
			return &guestagentv1.StopDatabaseResponse{Progress: p}
		},
		request.GetOperation(), "stop_database", "", stopLimit,
		unmarked(func(ctx context.Context, tell func(string)) error {
			tell("stopping the database")
			return loop.RequestAndWaitStop(ctx)
		}))
}
