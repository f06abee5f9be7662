package journal

import (
	"google.golang.org/grpc"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/call"
)

// WatchGuests tells when the set of guests or of monitors may have changed. The stream's header says that no change
// will be missed from now on; the stream ends when the api stops.
func (s *Server) WatchGuests(
	_ *journalv1.WatchGuestsRequest, stream grpc.ServerStreamingServer[journalv1.WatchGuestsResponse],
) error {
	rings, stop := s.Guests.listen()
	defer stop()
	if err := call.SendHeader(stream); err != nil {
		return err
	}
	for {
		select {
		case <-rings:
			if err := stream.Send(&journalv1.WatchGuestsResponse{}); err != nil {
				return err
			}
		case <-s.Guests.life.Done():
			return nil
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}
