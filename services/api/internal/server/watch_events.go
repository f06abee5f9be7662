package server

import (
	"google.golang.org/grpc"

	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/call"
)

// WatchEvents streams the events of the caller's project until the caller has had enough, or the token ends.
func (s *Server) WatchEvents(
	request *eventv1.WatchEventsRequest, stream grpc.ServerStreamingServer[eventv1.WatchEventsResponse],
) error {
	ctx := stream.Context()
	caller, err := s.authorise(ctx, "event:index")
	if err != nil {
		return err
	}
	if id := request.GetInstanceId(); id != "" {
		if err := validID(id); err != nil {
			return err
		}
	}
	return s.Events.Watch(ctx, caller, request, watcher{stream})
}

// watcher is a caller that watches. The stream's header tells it that no event will be missed from now on.
type watcher struct {
	grpc.ServerStreamingServer[eventv1.WatchEventsResponse]
}

// Ready sends the header.
func (w watcher) Ready() error { return call.SendHeader(w) }
