package server

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

const (
	// usualSilence is the longest silence where the watcher asks for none.
	usualSilence = 10 * time.Second
	// leastSilence keeps a watcher from making the agent work all the time.
	leastSilence = 100 * time.Millisecond
)

// WatchStatus tells the state now, every change, and a sign of life after each silence.
func (s *Server) WatchStatus(
	request *guestagentv1.WatchStatusRequest, stream grpc.ServerStreamingServer[guestagentv1.WatchStatusResponse],
) error {
	silence := usualSilence
	if asked := request.GetIntervalMilliseconds(); asked > 0 {
		silence = max(time.Duration(asked)*time.Millisecond, leastSilence)
	}
	timer := time.NewTimer(silence)
	defer timer.Stop()
	told := s.Hub.Latest().Sequence - 1
	for {
		reports, changed := s.Hub.After(told)
		for _, r := range reports {
			if err := stream.Send(&guestagentv1.WatchStatusResponse{Status: s.statusOf(r)}); err != nil {
				return err
			}
			told = r.Sequence
		}
		timer.Reset(silence)
		select {
		case <-changed:
		case <-timer.C:
			s.Hub.Repeat()
		case <-s.Ending:
			return errs.New(errs.Unavailable, "AGENT_STOPPING", "The guest agent stops.")
		case <-stream.Context().Done():
			return context.Cause(stream.Context())
		}
	}
}
