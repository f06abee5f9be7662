package workflow

import (
	"context"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

// rebuildInstance makes the server anew around the volume, from another image if one was named. It works on a server
// that is broken: the database is stopped in order only if it can be.
//
// The user sees BUILD, then ACTIVE. When it fails, the instance is ACTIVE with a fault; volume and data are untouched,
// and it may be rebuilt again.
func rebuildInstance(parts Parts) *flow.Workflow {
	w := rebuild{parts}
	return flow.New(action.RebuildInstance, settleActive("the data are kept; rebuild the instance again")).
		Step("stop_database", w.stopIfPossible, append(w.undoHalt(), flow.Timeout(haltTimeout), flow.NoCancel())...).
		Step("rebuild_server", w.rebuildServer, flow.Timeout(30*time.Minute), flow.NoCancel()).
		Step("enrol_guest", w.onServer(w.enrol), flow.Timeout(w.BootLimit), flow.NoCancel()).
		Step("start_database", w.onServer(w.startDatabase), flow.Timeout(healthyTimeout), flow.NoCancel()).
		Step("await_healthy", w.onServer(w.awaitHealthy), flow.Timeout(healthyTimeout), flow.Waits())
}

type rebuild struct{ Parts }

func (w rebuild) stopIfPossible(ctx context.Context, r *flow.Run) error {
	return w.askToStop(ctx, r, softPatience)
}

func (w rebuild) rebuildServer(ctx context.Context, r *flow.Run) error {
	return w.rebuild(ctx, r, r.Instance.GetDatastoreVersion(), r.Command.GetRebuildInstance().GetImageId())
}
