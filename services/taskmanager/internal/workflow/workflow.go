package workflow

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/status"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// healthyTimeout is how long a database may take from its start to the first query that succeeds. Crash recovery of a
// large redo log is the long case.
const healthyTimeout = 5 * time.Minute

// Signing is what workflows need of journalv1.SigningServiceClient.
type Signing interface {
	IssueBootstrap(context.Context, *journalv1.IssueBootstrapRequest, ...grpc.CallOption) (*journalv1.IssueBootstrapResponse, error)
	SignGuest(context.Context, *journalv1.SignGuestRequest, ...grpc.CallOption) (*journalv1.SignGuestResponse, error)
}

// Parts are what the workflows act on.
type Parts struct {
	Servers step.Servers
	Volumes step.Volumes
	Ports   step.Ports
	Guests  step.Guests
	Signing Signing
	// BootLimit is how long a new server may take until its agent has enrolled.
	BootLimit time.Duration
	// KeepFailed leaves what a failed create has made, to be looked at, until the instance is deleted.
	KeepFailed bool
}

// All are the workflows of all actions.
func All(parts Parts) []*flow.Workflow {
	return []*flow.Workflow{
		createInstance(parts),
		restartInstance(parts),
		deleteInstance(parts),
	}
}

// awaitHealthy is a step of several workflows: it waits for the first real query that succeeds, on the guest's own
// stream.
func awaitHealthy(guests step.Guests) flow.Func {
	return func(ctx context.Context, r *flow.Run) error {
		guest, err := guests.Guest(r.Instance.GetId(), r.Instance.GetGuestAddress())
		if err != nil {
			return err
		}
		seen, err := guest.AwaitStatus(ctx, func(s *guestagentv1.DatabaseStatus) bool {
			return s.GetServiceStatus() == string(status.ServiceHealthy)
		})
		if err != nil {
			return fmt.Errorf("await a healthy database: %w", err)
		}
		r.Change(&journalv1.InstancePatch{GuestStatus: step.Report(seen)})
		return nil
	}
}
