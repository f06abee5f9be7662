package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// restartInstance stops the database process and starts it again; the server stays up.
//
// The user sees ACTIVE → REBOOT → ACTIVE. When it fails, the instance is ACTIVE again with a fault, and the operating
// status tells how the database is: the guest goes on trying to bring it up. Nothing is taken, so nothing is undone.
func restartInstance(parts Parts) *flow.Workflow {
	w := restart{parts}
	return flow.New(action.RestartInstance, settleRestart).
		Step("check_guest", w.onServer(w.checkGuest), flow.Timeout(30*time.Second)).
		Step("restart_database", w.onServer(w.restartDatabase), flow.Timeout(healthyTimeout), flow.NoCancel()).
		Step("await_healthy", w.onServer(awaitHealthy(w.Guests)), flow.Timeout(healthyTimeout), flow.Waits())
}

func settleRestart(_ *flow.Run, end flow.End) flow.Settlement {
	settled := flow.Settlement{TaskStatus: status.TaskNone}
	if end.Failure != nil {
		settled.Fault = fault(end, "look at the operating status and restart again")
	}
	return settled
}

type restart struct{ Parts }

// checkGuest lets a restart fail before it has changed anything, while the guest cannot be reached or has no database.
func (w restart) checkGuest(ctx context.Context, r *flow.Run) error {
	guest, err := w.Guests.Guest(r.Instance.GetId(), r.Instance.GetGuestAddress())
	if err != nil {
		return err
	}
	seen, err := guest.Status(ctx)
	if err != nil {
		return fmt.Errorf("ask guest for its status: %w", err)
	}
	if seen.GetServiceStatus() == string(status.ServiceNew) {
		return errs.New(errs.WrongState, "NOT_PREPARED", "The guest has no database yet.")
	}
	return nil
}

func (w restart) restartDatabase(ctx context.Context, r *flow.Run) error {
	guest, err := w.Guests.Guest(r.Instance.GetId(), r.Instance.GetGuestAddress())
	if err != nil {
		return err
	}
	if err := guest.RestartDatabase(ctx, step.Operation(r), r.Say); err != nil {
		return fmt.Errorf("restart database: %w", err)
	}
	return nil
}

// fault is a failure as it stays on the instance.
func fault(end flow.End, advice string) *journalv1.Fault {
	return &journalv1.Fault{
		Message: flow.Sentence(end.Failure, advice),
		Details: fmt.Sprintf("%s in step %s: %s", end.Failure.GetCode(), end.Failure.GetStep(), end.Failure.GetMessage()),
	}
}
