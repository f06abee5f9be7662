package event

import (
	"context"
	"errors"

	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
)

// errSeen ends a watch that has seen what it waited for.
var errSeen = errors.New("seen")

// Await asks look whether something has come about, at once and after every event of the instance, until it says so, or
// the context or the hub ends.
func (h *Hub) Await(ctx context.Context, projectID, instanceID string, look func() (bool, error)) error {
	err := h.watch(ctx, projectID, &eventv1.WatchEventsRequest{InstanceId: instanceID}, looking(look))
	if errors.Is(err, errSeen) {
		return nil
	}
	return err
}

// looking is a sink that only looks.
type looking func() (bool, error)

func (l looking) Ready() error {
	seen, err := l()
	if err == nil && seen {
		return errSeen
	}
	return err
}

func (l looking) Send(*eventv1.WatchEventsResponse) error { return l.Ready() }
