package journal

import (
	"context"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// ListGuests lists the guests that can be dialled.
func (s *Server) ListGuests(ctx context.Context, _ *journalv1.ListGuestsRequest) (*journalv1.ListGuestsResponse, error) {
	guests, err := s.Store.ListGuests(ctx)
	if err != nil {
		return nil, err
	}
	response := &journalv1.ListGuestsResponse{}
	for _, guest := range guests {
		told := &journalv1.Guest{InstanceId: guest.InstanceID, GuestAddress: guest.GuestAddress}
		if !guest.CertificateExpires.IsZero() {
			told.CertificateExpires = guest.CertificateExpires.Unix()
		}
		response.Guests = append(response.Guests, told)
	}
	return response, nil
}
