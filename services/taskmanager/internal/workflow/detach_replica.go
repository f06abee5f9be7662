package workflow

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// detachReplica makes a replica an instance of its own, with what it has received so far.
//
// The user sees ACTIVE → DETACH → ACTIVE without a replica_of. When it fails, it still follows its source. It cannot be
// undone: what is written from then on is no part of the source's history.
func detachReplica(parts Parts) *flow.Workflow {
	w := detach{parts}
	return flow.New(action.DetachReplica, settleActive("it may still follow its source; detach it again")).
		Step("check_guest", w.onServer(w.checkGuest), flow.Timeout(checkTimeout)).
		Step("end_following", w.onServer(w.endFollowing), flow.NoReturn(), flow.Timeout(5*time.Minute)).
		Step("leave_source", w.leaveFormerSource).
		Step("await_healthy", w.onServer(w.awaitHealthy), flow.Timeout(healthyTimeout), flow.Waits())
}

// noteFormerSource is the note of whom the instance followed before.
const noteFormerSource = "former_source"

type detach struct{ Parts }

func (w detach) endFollowing(ctx context.Context, r *flow.Run) error {
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	if _, err := guest.Promote(ctx, step.Operation(r), r.Say); err != nil {
		return fmt.Errorf("end following: %w", err)
	}
	r.Note(noteFormerSource, r.Instance.GetReplicaOf())
	r.Change(&journalv1.InstancePatch{ReplicaOf: proto.String("")})
	return nil
}

func (w detach) leaveFormerSource(ctx context.Context, r *flow.Run) error {
	return w.dismissAt(ctx, r, r.Noted(noteFormerSource))
}
