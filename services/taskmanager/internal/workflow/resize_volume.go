package workflow

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// resizeVolume makes the volume larger while the database runs; where the cloud or the machine cannot, around a restart.
//
// The user sees ACTIVE → RESIZE → ACTIVE. Nothing is ever made smaller, so nothing is undone: when it fails, the
// instance is ACTIVE with a fault, and shows the size that its volume really has.
func resizeVolume(parts Parts) *flow.Workflow {
	w := grow{parts}
	return flow.New(action.ResizeVolume, settleActive("the size shown is the volume's; resize it again")).
		Step("check_guest", w.onServer(w.checkGuest), flow.Timeout(checkTimeout)).
		Step("extend_volume", w.extendVolume, flow.Timeout(10*time.Minute), flow.NoCancel()).
		Step("grow_file_system", w.growFileSystem, flow.Timeout(w.BootLimit+30*time.Minute), flow.NoCancel())
}

type grow struct{ Parts }

// extendVolume records the size with the step, since from here on it is the real one.
func (w grow) extendVolume(ctx context.Context, r *flow.Run) error {
	volume, err := w.Volumes.ExtendVolume(ctx, r.Instance.GetId(), int(r.Command.GetResizeVolume().GetSize()))
	if err != nil {
		return fmt.Errorf("extend volume: %w", err)
	}
	r.Change(&journalv1.InstancePatch{VolumeSize: proto.Int32(int32(volume.Size))}) //nolint:gosec // it was an int32
	return nil
}

// growFileSystem restarts the machine where it does not see the new size, or cannot grow what is in use.
func (w grow) growFileSystem(ctx context.Context, r *flow.Run) error {
	err := w.onServer(w.growAs(r, "grow"))(ctx, r)
	if errs.IsKind(err, errs.Unsupported) {
		r.Say("The machine is restarted: " + errs.From(err).Sentence)
		if err := w.restartMachine(ctx, r); err != nil {
			return err
		}
		err = w.onServer(w.growAs(r, "grow_again"))(ctx, r)
	}
	if err != nil {
		return err
	}
	return w.onServer(w.reportGuest)(ctx, r)
}

func (w grow) growAs(r *flow.Run, what string) flow.Func {
	return w.ask("grow file system", func(ctx context.Context, guest step.Guest) error {
		return guest.GrowVolume(ctx, &guestagentv1.GrowVolumeRequest{Operation: operation(r, what), Size: r.Instance.GetVolumeSize()}, r.Say)
	})
}

// restartMachine pulls the plug, for which the database is stopped in order: what it is plugged in with afterwards is the
// volume of the new size.
func (w grow) restartMachine(ctx context.Context, r *flow.Run) error {
	stop := func(ctx context.Context, guest step.Guest) error {
		return guest.StopDatabase(ctx, operation(r, "stop"), r.Say)
	}
	if err := w.onServer(w.ask("stop database", stop))(ctx, r); err != nil {
		return err
	}
	server, err := w.Servers.RebootServer(ctx, r.Instance.GetId(), true)
	if err != nil {
		return fmt.Errorf("restart the machine: %w", err)
	}
	found(r, server)
	start := func(ctx context.Context, guest step.Guest) error {
		return guest.StartDatabase(ctx, operation(r, "start"), r.Say)
	}
	if err := w.onServer(w.ask("start database", start))(ctx, r); err != nil {
		return err
	}
	return w.onServer(w.awaitHealthy)(ctx, r)
}

// ask has the instance's guest do something.
func (w grow) ask(doing string, do func(context.Context, step.Guest) error) flow.Func {
	return func(ctx context.Context, r *flow.Run) error {
		guest, err := w.guest(r)
		if err != nil {
			return err
		}
		if err := do(ctx, guest); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
		return nil
	}
}
