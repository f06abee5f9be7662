package server

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// startLimit leaves time for a clean stop and for recovery from a large log.
const startLimit = 30 * time.Minute

// RestartDatabase stops the database process, if it runs, and starts it again: once for each operation. The mark is the
// number of starts before; when there are more already, what was interrupted had got as far as the start.
func (s *Server) RestartDatabase(
	request *guestagentv1.RestartDatabaseRequest, stream grpc.ServerStreamingServer[guestagentv1.RestartDatabaseResponse],
) error {
	loop, err := s.Instance.Loop()
	if err != nil {
		return err
	}
	work := func(ctx context.Context, mark string, tell func(string)) error {
		before, err := strconv.ParseInt(mark, 10, 64)
		if err != nil {
			return fmt.Errorf("read the operation's mark: %w", err)
		}
		if loop.Starts() > before {
			return loop.RequestAndWaitStart(ctx)
		}
		tell("restarting the database")
		return loop.RequestAndWaitRestart(ctx)
	}
	return change(s, stream,
		func(p *guestagentv1.Progress) *guestagentv1.RestartDatabaseResponse {
			return &guestagentv1.RestartDatabaseResponse{Progress: p}
		},
		request.GetOperation(), "restart_database", strconv.FormatInt(loop.Starts(), 10), startLimit, work)
}
