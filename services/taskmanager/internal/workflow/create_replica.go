package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/coffer-dbaas/coffer/pkg/action"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

const (
	// copyTimeout is how long a copy of a source may take, with all its new beginnings.
	copyTimeout = 10 * time.Hour
	// ticketLife is how long a copy may take to begin.
	ticketLife = 2 * time.Minute
)

// createReplica makes a server like createInstance, and fills it with a copy of its source, which goes on working.
//
// The user sees BUILD, then ACTIVE and HEALTHY once the replica follows its source; or ERROR with a fault. The copy goes
// from agent to agent; one that is cut starts over. A replica whose creation fails leaves nothing at its source.
func createReplica(parts Parts) *flow.Workflow {
	w := create{Parts: parts}
	return flow.New(action.CreateReplica, settleCreate).
		Step("allocate_address", w.allocateAddress, flow.Undo(w.unlessKept(w.releaseAddress))).
		Step("create_volume", w.createVolume, flow.Undo(w.unlessKept(w.deleteVolume)), flow.Timeout(5*time.Minute)).
		Step("create_server", w.createServer, flow.Undo(w.unlessKept(w.deleteServer)), flow.Timeout(10*time.Minute)).
		Step("enrol_guest", w.onServer(w.enrol), flow.Timeout(w.BootLimit)).
		Step("copy_source", w.onServer(w.copySource), flow.Undo(w.unlessKept(w.leaveSource)), flow.Timeout(copyTimeout)).
		Step("await_streaming", w.onServer(w.awaitStreaming), flow.Timeout(w.CatchUpLimit), flow.Waits()).
		Step("await_healthy", w.onServer(w.awaitHealthy), flow.Timeout(healthyTimeout), flow.Waits())
}

// copySource announces the copy to both sides, with a word that is good for this attempt alone.
func (w create) copySource(ctx context.Context, r *flow.Run) error {
	order := r.Command.GetCreateReplica()
	source, err := w.guestOf(ctx, order.GetSourceId())
	if err != nil {
		return err
	}
	admitted, err := source.AdmitReplica(ctx, &guestagentv1.AdmitReplicaRequest{
		ReplicaInstanceId: r.Instance.GetId(), ReplicaAddress: addressOf(r.Instance),
		Ticket: uuid.NewString(), TicketMilliseconds: ticketLife.Milliseconds(),
	})
	if err != nil {
		return fmt.Errorf("announce the copy to the source: %w", err)
	}
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	err = guest.PrepareReplica(ctx, &guestagentv1.PrepareReplicaRequest{
		Operation: step.Operation(r), Manager: order.GetDatastoreVersion().GetManager(),
		Version: order.GetDatastoreVersion().GetVersion(), Ram: order.GetFlavor().GetRam(), Source: admitted,
	}, r.Say)
	if err != nil {
		return fmt.Errorf("copy the source: %w", err)
	}
	return nil
}

// awaitStreaming waits until the replica has all that the source had when it was asked.
func (w create) awaitStreaming(ctx context.Context, r *flow.Run) error {
	source, err := w.guestOf(ctx, r.Command.GetCreateReplica().GetSourceId())
	if err != nil {
		return err
	}
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	return level(ctx, source, guest)
}

// level waits until a replica has all that the source had when it was asked.
func level(ctx context.Context, source, replica step.Guest) error {
	there, err := source.Replication(ctx)
	if err != nil {
		return fmt.Errorf("ask the source for its position: %w", err)
	}
	if _, err = replica.AwaitPosition(ctx, there.GetPosition()); errors.Is(err, context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("await the source's position: %w", err)
	}
	return nil
}
