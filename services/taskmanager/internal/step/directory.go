package step

import "context"

// Directory finds the guests of instances that a task does not hold, such as a replica's source.
type Directory interface {
	// GuestAddress is where the instance's agent is dialled; NotFound when there is none.
	GuestAddress(ctx context.Context, instanceID string) (string, error)
}
