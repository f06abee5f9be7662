package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// configurePatience is how long an undo tries to reach a guest whose server is about to be restarted anyway.
const configurePatience = 10 * time.Second

// resizeFlavor gives the server another size, and the database the memory settings that go with it.
//
// The user sees ACTIVE → RESIZE → ACTIVE with the new flavor, which is shown only at the end. When it fails or is
// cancelled, the server has its former size again, the database its former settings, and it runs.
func resizeFlavor(parts Parts) *flow.Workflow {
	w := resize{parts}
	return flow.New(action.ResizeFlavor, settleActive("the former flavor is kept; look at the operating status")).
		Step("check_guest", w.onServer(w.checkGuest), flow.Timeout(checkTimeout)).
		Step("stop_database", w.onServer(w.stopDatabase), append(w.undoHalt(), flow.Timeout(haltTimeout))...).
		Step("resize_server", w.resizeServer, flow.Undo(w.revertServer), flow.Timeout(30*time.Minute), flow.UndoTimeout(30*time.Minute)).
		Step("configure_database", w.onServer(w.configureDatabase), flow.Timeout(w.BootLimit)).
		Step("start_database", w.onServer(w.startDatabase), flow.Timeout(healthyTimeout)).
		Step("await_healthy", w.onServer(w.awaitHealthy), flow.Timeout(healthyTimeout), flow.Waits()).
		Step("confirm_resize", w.confirmResize, flow.NoCancel(), flow.Timeout(10*time.Minute))
}

type resize struct{ Parts }

func (w resize) resizeServer(ctx context.Context, r *flow.Run) error {
	server, err := w.Servers.ResizeServer(ctx, r.Instance.GetId(), flavor(r.Command.GetResizeFlavor().GetFlavor()))
	if err != nil {
		return fmt.Errorf("resize server: %w", err)
	}
	found(r, server)
	return nil
}

// revertServer puts the former settings in place before the server goes back, so that the database never starts with
// those of the larger size. A guest that cannot be reached gets them afterwards, and its database another start.
func (w resize) revertServer(ctx context.Context, r *flow.Run) error {
	asking, cancel := context.WithTimeout(ctx, configurePatience)
	defer cancel()
	configured := w.onServer(w.configureFormer)(asking, r)
	if ctx.Err() != nil || flow.IsSuperseded(configured) {
		return configured
	}
	server, err := w.Servers.RevertResize(ctx, r.Instance.GetId())
	if err != nil {
		return fmt.Errorf("revert resize: %w", err)
	}
	found(r, server)
	if configured == nil {
		return nil
	}
	r.Say("Former settings not put in place beforehand: " + errs.From(configured).Sentence)
	return w.onServer(w.restartFormer)(ctx, r)
}

func (w resize) restartFormer(ctx context.Context, r *flow.Run) error {
	if err := w.configureFormer(ctx, r); err != nil {
		return err
	}
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	if err := guest.RestartDatabase(ctx, operation(r, "restart"), r.Say); err != nil {
		return fmt.Errorf("restart database: %w", err)
	}
	return nil
}

func (w resize) configureDatabase(ctx context.Context, r *flow.Run) error {
	return w.configure(ctx, r, step.Operation(r), r.Command.GetResizeFlavor().GetFlavor().GetRam())
}

// configureFormer goes by the instance's flavor, which is the former one until the end.
func (w resize) configureFormer(ctx context.Context, r *flow.Run) error {
	return w.configure(ctx, r, operation(r, "configure"), r.Instance.GetFlavor().GetRam())
}

func (w resize) configure(ctx context.Context, r *flow.Run, operation *guestagentv1.Operation, ram int32) error {
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	request := &guestagentv1.ConfigureDatabaseRequest{Operation: operation, Ram: ram}
	if err := guest.ConfigureDatabase(ctx, request, r.Say); err != nil {
		return fmt.Errorf("configure database: %w", err)
	}
	return nil
}

func (w resize) confirmResize(ctx context.Context, r *flow.Run) error {
	if err := w.Servers.ConfirmResize(ctx, r.Instance.GetId()); err != nil {
		return fmt.Errorf("confirm resize: %w", err)
	}
	r.Change(&journalv1.InstancePatch{Flavor: r.Command.GetResizeFlavor().GetFlavor()})
	return nil
}
