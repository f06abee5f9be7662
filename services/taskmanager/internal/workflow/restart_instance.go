package workflow

import (
	"context"
	"fmt"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// restartInstance stops the database process and starts it again; the server stays up.
//
// The user sees ACTIVE → REBOOT → ACTIVE. When it fails, the instance is ACTIVE again with a fault, and the operating
// status tells how the database is: the guest goes on trying to bring it up. Nothing is taken, so nothing is undone.
func restartInstance(parts Parts) *flow.Workflow {
	w := restart{parts}
	return flow.New(action.RestartInstance, settleActive("look at the operating status and restart again")).
		Step("check_guest", w.onServer(w.checkGuest), flow.Timeout(checkTimeout)).
		Step("restart_database", w.onServer(w.restartDatabase), flow.Timeout(healthyTimeout), flow.NoCancel()).
		Step("await_healthy", w.onServer(w.awaitHealthy), flow.Timeout(healthyTimeout), flow.Waits())
}

type restart struct{ Parts }

func (w restart) restartDatabase(ctx context.Context, r *flow.Run) error {
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	if err := guest.RestartDatabase(ctx, step.Operation(r), r.Say); err != nil {
		return fmt.Errorf("restart database: %w", err)
	}
	return nil
}
