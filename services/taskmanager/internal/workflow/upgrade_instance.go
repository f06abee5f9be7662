package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// dataTimeout is how long all data of an instance may take to be copied, dumped or converted.
const dataTimeout = 5 * time.Hour

// upgradeInstance brings the database to another version of its engine, in place.
//
// The user sees ACTIVE → UPGRADE → ACTIVE with the new version, from the moment its first query succeeds. Until then a
// clone of the data as they were is kept: when anything fails or the task is cancelled, the old version runs again on
// it. From then on there is no way back, and a failure to remove the clone leaves no more than a fault.
func upgradeInstance(parts Parts) *flow.Workflow {
	w := upgrade{parts}
	return flow.New(action.UpgradeInstance, settleActive("look at the datastore version and the operating status")).
		Step("check_guest", w.onServer(w.checkGuest), flow.Timeout(checkTimeout)).
		Step("prepare_upgrade", w.onServer(w.prepareUpgrade), flow.Undo(w.onServer(w.revertUpgrade)),
			flow.Timeout(dataTimeout), flow.UndoTimeout(dataTimeout)).
		Step("rebuild_server", w.rebuildServer, flow.Undo(w.rebuildFormer),
			flow.Timeout(30*time.Minute), flow.UndoTimeout(30*time.Minute)).
		Step("enrol_guest", w.onServer(w.enrol), flow.Timeout(w.BootLimit)).
		Step("upgrade_database", w.onServer(w.upgradeDatabase), flow.Timeout(dataTimeout)).
		Step("await_healthy", w.onServer(w.awaitVersion), flow.Timeout(healthyTimeout), flow.NoReturn()).
		Step("finish_upgrade", w.onServer(w.finishUpgrade), flow.Timeout(10*time.Minute))
}

type upgrade struct{ Parts }

func (w upgrade) prepareUpgrade(ctx context.Context, r *flow.Run) error {
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	request := &guestagentv1.PrepareUpgradeRequest{Operation: step.Operation(r), Version: w.version(r)}
	if err := guest.PrepareUpgrade(ctx, request, r.Say); err != nil {
		return fmt.Errorf("prepare upgrade: %w", err)
	}
	return nil
}

// revertUpgrade puts the clone back, if the data were touched, and starts the old version.
func (w upgrade) revertUpgrade(ctx context.Context, r *flow.Run) error {
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	if err := guest.RevertUpgrade(ctx, step.Operation(r), r.Say); err != nil {
		return fmt.Errorf("revert upgrade: %w", err)
	}
	return w.awaitHealthy(ctx, r)
}

func (w upgrade) rebuildServer(ctx context.Context, r *flow.Run) error {
	return w.rebuild(ctx, r, r.Command.GetUpgradeInstance().GetDatastoreVersion(), "")
}

// rebuildFormer goes by the instance's version, which is the former one until the new one is healthy.
func (w upgrade) rebuildFormer(ctx context.Context, r *flow.Run) error {
	if err := w.rebuild(ctx, r, r.Instance.GetDatastoreVersion(), ""); err != nil {
		return err
	}
	return w.onServer(w.enrol)(ctx, r)
}

func (w upgrade) upgradeDatabase(ctx context.Context, r *flow.Run) error {
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	request := &guestagentv1.UpgradeDatabaseRequest{Operation: step.Operation(r), Version: w.version(r)}
	if err := guest.UpgradeDatabase(ctx, request, r.Say); err != nil {
		return fmt.Errorf("upgrade database: %w", err)
	}
	return nil
}

func (w upgrade) awaitVersion(ctx context.Context, r *flow.Run) error {
	if err := w.awaitHealthy(ctx, r); err != nil {
		return err
	}
	r.Change(&journalv1.InstancePatch{DatastoreVersion: r.Command.GetUpgradeInstance().GetDatastoreVersion()})
	return nil
}

func (w upgrade) finishUpgrade(ctx context.Context, r *flow.Run) error {
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	if err := guest.FinishUpgrade(ctx, step.Operation(r), r.Say); err != nil {
		return fmt.Errorf("finish upgrade: %w", err)
	}
	return nil
}

func (w upgrade) version(r *flow.Run) string {
	return r.Command.GetUpgradeInstance().GetDatastoreVersion().GetVersion()
}
