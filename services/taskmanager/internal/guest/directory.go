package guest

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// Lister is what a directory needs of journalv1.GuestServiceClient.
type Lister interface {
	ListGuests(context.Context, *journalv1.ListGuestsRequest, ...grpc.CallOption) (*journalv1.ListGuestsResponse, error)
}

// Directory finds guests in the api's list.
type Directory struct{ api Lister }

var _ step.Directory = Directory{}

// NewDirectory makes a directory of the guests that the api knows.
func NewDirectory(api Lister) Directory { return Directory{api} }

// GuestAddress asks anew each time: an address may have changed, and it is seldom asked.
func (d Directory) GuestAddress(ctx context.Context, instanceID string) (string, error) {
	list, err := d.api.ListGuests(ctx, &journalv1.ListGuestsRequest{})
	if err != nil {
		return "", fmt.Errorf("list guests: %w", err)
	}
	for _, guest := range list.GetGuests() {
		if guest.GetInstanceId() == instanceID && guest.GetGuestAddress() != "" {
			return guest.GetGuestAddress(), nil
		}
	}
	return "", errs.New(errs.NotFound, "NO_GUEST", "Instance %s has no guest.", instanceID)
}
