package workflow

import (
	"context"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

// stopPatience is how long a delete waits for a guest: for its own to stop the database in order, which is only for the
// sake of clients' connections, since the data are about to go, and for its source's.
const stopPatience = 10 * time.Second

// deleteInstance removes the database with everything it has, whatever state it is in.
//
// The user sees SHUTDOWN until the instance is gone; or ERROR with a fault, and may delete again. It cannot be cancelled
// and is not undone: each step may find its work already done, by an earlier delete or a failed create.
func deleteInstance(parts Parts) *flow.Workflow {
	w := remove{parts}
	return flow.New(action.DeleteInstance, settleDelete).
		Step("stop_database", w.stopDatabase, flow.NoCancel()).
		Step("delete_server", w.deleteServer, flow.NoCancel(), flow.Timeout(10*time.Minute)).
		Step("leave_set", w.leaveSource, flow.NoCancel()).
		Step("delete_volume", w.deleteVolume, flow.NoCancel(), flow.Timeout(10*time.Minute)).
		Step("release_address", w.releaseAddress, flow.NoCancel())
}

func settleDelete(_ *flow.Run, end flow.End) flow.Settlement {
	switch end.Outcome {
	case journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED:
		return flow.Settlement{TaskStatus: status.TaskNone, Deleted: true}
	case journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED:
		return flow.Settlement{
			TaskStatus: status.TaskDeletingError,
			Fault:      &journalv1.Fault{Message: "The deletion was stopped; delete the instance again."},
		}
	default:
		return flow.Settlement{TaskStatus: status.TaskDeletingError, Fault: fault(end, "delete the instance again")}
	}
}

type remove struct{ Parts }

// stopDatabase asks nicely. A guest that does not answer, or never was, does not keep its server from being deleted.
func (w remove) stopDatabase(ctx context.Context, r *flow.Run) error {
	if r.Instance.GetGuestAddress() == "" {
		return nil
	}
	return w.askToStop(ctx, r, stopPatience)
}
