package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

// migrateInstance moves the server to another host.
//
// The user sees ACTIVE → MIGRATING → ACTIVE. When it fails, the database runs again where its server is, and the instance
// is ACTIVE with a fault. A provider with one host refuses before anything has changed: the api knows of it.
func migrateInstance(parts Parts) *flow.Workflow {
	w := migrate{parts}
	return flow.New(action.MigrateInstance, settleActive("look at the operating status and migrate again")).
		Step("check_guest", w.onServer(w.checkGuest), flow.Timeout(checkTimeout)).
		Step("stop_database", w.onServer(w.stopDatabase), append(w.undoHalt(), flow.Timeout(haltTimeout))...).
		Step("migrate_server", w.migrateServer, flow.Timeout(90*time.Minute), flow.NoCancel()).
		Step("start_database", w.onServer(w.startDatabase), flow.Timeout(w.BootLimit+healthyTimeout), flow.NoCancel()).
		Step("await_healthy", w.onServer(w.awaitHealthy), flow.Timeout(healthyTimeout), flow.Waits())
}

type migrate struct{ Parts }

func (w migrate) migrateServer(ctx context.Context, r *flow.Run) error {
	server, err := w.Servers.MigrateServer(ctx, r.Instance.GetId(), r.Command.GetMigrateInstance().GetHost())
	if err != nil {
		return fmt.Errorf("migrate server: %w", err)
	}
	found(r, server)
	return nil
}
