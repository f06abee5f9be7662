package server

import (
	"context"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/newinstance"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// errSetChanged says that replicas came or went between the look at the set and the transaction.
var errSetChanged = errs.New(errs.Conflict, "SET_CHANGED", "The replication set changes at the moment; try again.")

// ResizeVolume accepts a larger volume for an instance and for each of its replicas that has a smaller one: all of them,
// or none.
func (s *Server) ResizeVolume(
	ctx context.Context, request *instancev1.ResizeVolumeRequest,
) (*instancev1.ResizeVolumeResponse, error) {
	id := request.GetInstanceId()
	caller, err := s.authoriseChange(ctx, "instance:resize_volume", id)
	if err != nil {
		return nil, err
	}
	size, err := newinstance.VolumeSize("resize['volume']['size']", request.GetVolume().GetSize(), s.Settings.Limits)
	if err != nil {
		return nil, err
	}
	set, err := s.Store.InstanceSet(ctx, scope(caller), id)
	if err != nil {
		return nil, named(id, err)
	}
	changes, err := s.volumesToResize(ctx, request, id, size, set)
	if err != nil {
		return nil, err
	}
	accepted, err := s.enterAll(ctx, "resize_volume", request, changes)
	if err != nil {
		return nil, named(id, err)
	}
	task, plan, err := s.told(ctx, together(ctx, accepted[0], accepted[1:]))
	if err != nil {
		return nil, err
	}
	return &instancev1.ResizeVolumeResponse{Task: task, Plan: plan}, nil
}

// volumesToResize are the changes of the instance itself and of its replicas.
func (s *Server) volumesToResize(
	ctx context.Context, request proto.Message, id string, size int, set []store.Instance,
) ([]store.Acceptance, error) {
	replicas := slices.DeleteFunc(slices.Clone(set), func(i store.Instance) bool { return i.ReplicaOf != id })
	own, err := s.volumeToResize(ctx, request, id, size, replicas)
	if err != nil {
		return nil, err
	}
	list := []store.Acceptance{own}
	for _, replica := range replicas {
		if replica.VolumeSize >= size {
			continue
		}
		another, err := s.volumeToResize(ctx, request, replica.ID, size, nil)
		if err != nil {
			return nil, err
		}
		list = append(list, another)
	}
	return list, nil
}

func (s *Server) volumeToResize(
	ctx context.Context, request proto.Message, id string, size int, replicas []store.Instance,
) (store.Acceptance, error) {
	quota := map[store.Resource]int{}
	return s.acceptance(ctx, &change{
		instanceID: id, request: request, quota: quota, withSet: true,
		command: &commandv1.Command{Action: &commandv1.Command_ResizeVolume{
			ResizeVolume: &commandv1.ResizeVolume{Size: int32(size)}, //nolint:gosec // checked against the maximum
		}},
		// Trove looks at the size before the state.
		first: func(scene store.Scene) error {
			if now := scene.Instance.VolumeSize; size <= now {
				return errs.New(errs.Invalid, "VOLUME_NOT_LARGER",
					"The new volume 'size' must be larger than the current volume size of '%d'.", now)
			}
			if scene.Instance.ReplicaOf == "" && !slices.Equal(ids(scene.Others), ids(replicas)) {
				return errSetChanged
			}
			quota[store.ResourceVolumes] = size - scene.Instance.VolumeSize
			return nil
		},
	})
}
