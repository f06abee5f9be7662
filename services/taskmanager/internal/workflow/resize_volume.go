package workflow

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// resizeVolume makes the volume larger while the database runs.
//
// The user sees ACTIVE → RESIZE → ACTIVE. Nothing is ever made smaller, so nothing is undone: when it fails, the
// instance is ACTIVE with a fault, and shows the size that its volume really has.
func resizeVolume(parts Parts) *flow.Workflow {
	w := grow{parts}
	return flow.New(action.ResizeVolume, settleActive("the size shown is the volume's; resize it again")).
		Step("check_guest", w.onServer(w.checkGuest), flow.Timeout(checkTimeout)).
		Step("extend_volume", w.extendVolume, flow.Timeout(10*time.Minute), flow.NoCancel()).
		Step("grow_file_system", w.onServer(w.growFileSystem), flow.Timeout(30*time.Minute), flow.NoCancel())
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

func (w grow) growFileSystem(ctx context.Context, r *flow.Run) error {
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	if err := guest.GrowVolume(ctx, step.Operation(r), r.Say); err != nil {
		return fmt.Errorf("grow file system: %w", err)
	}
	return w.reportGuest(ctx, r)
}
