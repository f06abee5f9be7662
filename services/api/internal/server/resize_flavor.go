package server

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/newinstance"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// ResizeFlavor accepts another flavor for an instance. What it has more of memory is taken from the quota at once.
func (s *Server) ResizeFlavor(
	ctx context.Context, request *instancev1.ResizeFlavorRequest,
) (*instancev1.ResizeFlavorResponse, error) {
	if _, err := s.authoriseChange(ctx, "instance:resize_flavor", request.GetInstanceId()); err != nil {
		return nil, err
	}
	offered, err := s.Catalog.Get(ctx)
	if err != nil {
		return nil, err
	}
	flavor, err := newinstance.Flavor("resize", request.GetFlavorRef(), offered)
	if err != nil {
		return nil, err
	}
	quota := map[store.Resource]int{}
	task, plan, err := s.order(ctx, change{
		instanceID: request.GetInstanceId(), request: request, quota: quota,
		command: &commandv1.Command{Action: &commandv1.Command_ResizeFlavor{
			ResizeFlavor: &commandv1.ResizeFlavor{Flavor: newinstance.FlavorOrder(flavor)},
		}},
		judge: func(scene store.Scene) error {
			if scene.Instance.FlavorID == flavor.GetId() {
				return errs.New(errs.Invalid, "SAME_FLAVOR",
					"The new flavor id must be different than the current flavor id of '%s'.", flavor.GetId())
			}
			quota[store.ResourceRAM] = max(int(flavor.GetRam())-scene.Instance.RAM, 0)
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	return &instancev1.ResizeFlavorResponse{Task: task, Plan: plan}, nil
}
