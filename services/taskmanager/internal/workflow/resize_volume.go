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
)

// noteUnseen is why the machine must be restarted before it sees the volume's new size.
const noteUnseen = "unseen"

// resizeVolume makes the volume larger while the database runs; where the cloud or the machine cannot, around a restart.
//
// The user sees ACTIVE → RESIZE → ACTIVE. Nothing is ever made smaller, so nothing but the stop is undone: when it fails,
// the instance is ACTIVE with a fault, and shows the size that its volume really has.
func resizeVolume(parts Parts) *flow.Workflow {
	w := grow{parts}
	return flow.New(action.ResizeVolume, settleActive("the size shown is the volume's; resize it again")).
		Step("check_guest", w.onServer(w.checkGuest), flow.Timeout(checkTimeout)).
		Step("extend_volume", w.extendVolume, flow.Timeout(10*time.Minute), flow.NoCancel()).
		Step("grow_file_system", w.onServer(w.growInUse), flow.Timeout(10*time.Minute), flow.NoCancel()).
		Step("stop_database", w.ifUnseen(w.onServer(w.stopDatabase)), flow.Undo(w.ifUnseen(w.onServer(w.bringBack))),
			flow.Timeout(haltTimeout), flow.UndoTimeout(w.BootLimit+healthyTimeout), flow.NoCancel()).
		Step("reboot_server", w.ifUnseen(w.replug), flow.Timeout(10*time.Minute), flow.NoCancel()).
		Step("grow_restarted", w.ifUnseen(w.onServer(w.growRestarted)), flow.Timeout(w.BootLimit+healthyTimeout), flow.NoCancel())
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

// growInUse decides, once for all attempts, whether the machine must be restarted: where it does not see the new size, or
// cannot grow what is in use.
func (w grow) growInUse(ctx context.Context, r *flow.Run) error {
	err := w.growFileSystem(ctx, r)
	if errs.IsKind(err, errs.Unsupported) {
		r.Say("The machine is restarted: " + errs.From(err).Sentence)
		r.Note(noteUnseen, errs.From(err).Sentence)
		return nil
	}
	return err
}

// ifUnseen is a step that only a machine needs which must be restarted.
func (w grow) ifUnseen(do flow.Func) flow.Func {
	return func(ctx context.Context, r *flow.Run) error {
		if r.Noted(noteUnseen) == "" {
			return nil
		}
		return do(ctx, r)
	}
}

// replug pulls the plug of a machine whose database was stopped in order: what it is plugged in with afterwards is the volume
// of the new size.
func (w grow) replug(ctx context.Context, r *flow.Run) error { return w.rebootServer(ctx, r, true) }

func (w grow) growRestarted(ctx context.Context, r *flow.Run) error {
	if err := w.startDatabase(ctx, r); err != nil {
		return err
	}
	if err := w.awaitHealthy(ctx, r); err != nil {
		return err
	}
	return w.growFileSystem(ctx, r)
}

// growFileSystem has the guest grow its file system, and records what it has then.
func (w grow) growFileSystem(ctx context.Context, r *flow.Run) error {
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	request := &guestagentv1.GrowVolumeRequest{Operation: operation(r, "grow"), Size: r.Instance.GetVolumeSize()}
	if err := guest.GrowVolume(ctx, request, r.Say); err != nil {
		return fmt.Errorf("grow file system: %w", err)
	}
	return w.reportGuest(ctx, r)
}
