package workflow

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

// stopInstance stops the database and keeps it stopped; a restart brings it back.
//
// The user sees ACTIVE → REBOOT → ACTIVE with the operating status SHUTDOWN. When it fails, the instance is as it was,
// with a fault: nothing is undone.
func stopInstance(parts Parts) *flow.Workflow {
	w := stop{parts}
	return flow.New(action.StopInstance, settleActive("look at the operating status and stop it again")).
		Step("check_guest", w.onServer(w.checkGuest), flow.Timeout(checkTimeout)).
		Step("stop_database", w.onServer(w.stopAndReport), flow.Timeout(haltTimeout), flow.NoCancel())
}

type stop struct{ Parts }

func (w stop) stopAndReport(ctx context.Context, r *flow.Run) error {
	if err := w.stopDatabase(ctx, r); err != nil {
		return err
	}
	return w.reportGuest(ctx, r)
}
