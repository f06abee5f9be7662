package workflow

import (
	"context"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

const (
	// softPatience is how long a soft reboot waits for the database to stop in order.
	softPatience = 2 * time.Minute
	// hardPatience is how long a hard one does.
	hardPatience = 10 * time.Second
)

// rebootInstance restarts the whole server, also one that is down, or whose guest is silent, or whose database has
// crashed: it is what helps when a restart of the database does not.
//
// The user sees ACTIVE → REBOOT → ACTIVE. A database that does not stop in order within the patience is stopped by its
// server: soft lets it go down in order once more, hard pulls the plug. When it fails, the instance is ACTIVE again with
// a fault. Nothing is taken, so nothing is undone but the stop.
func rebootInstance(parts Parts) *flow.Workflow {
	w := reboot{parts}
	return flow.New(action.RebootInstance, settleActive("look at the operating status and reboot again")).
		Step("stop_database", w.stopBounded, append(w.undoHalt(), flow.Timeout(haltTimeout), flow.NoCancel())...).
		Step("reboot_server", w.powerCycle, flow.Timeout(10*time.Minute), flow.NoCancel()).
		Step("start_database", w.onServer(w.startDatabase), flow.Timeout(w.BootLimit+healthyTimeout), flow.NoCancel()).
		Step("await_healthy", w.onServer(w.awaitHealthy), flow.Timeout(healthyTimeout), flow.Waits())
}

type reboot struct{ Parts }

func (w reboot) stopBounded(ctx context.Context, r *flow.Run) error {
	patience := softPatience
	if r.Command.GetRebootInstance().GetHard() {
		patience = hardPatience
	}
	return w.askToStop(ctx, r, patience)
}

func (w reboot) powerCycle(ctx context.Context, r *flow.Run) error {
	return w.rebootServer(ctx, r, r.Command.GetRebootInstance().GetHard())
}
