package journal

import (
	"context"
	"errors"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// ClaimTask takes a task for a worker.
func (s *Server) ClaimTask(
	ctx context.Context, request *journalv1.ClaimTaskRequest,
) (*journalv1.ClaimTaskResponse, error) {
	if request.GetTaskId() == "" {
		return nil, errs.New(errs.Invalid, "CLAIM", "A claim names a task.")
	}
	if err := speaksFor(ctx, request.GetWorker()); err != nil {
		return nil, err
	}
	claim, err := s.Store.ClaimTask(ctx, request.GetTaskId(), request.GetWorker(), s.Lease, s.MaxClaims)
	if err != nil {
		return nil, err
	}
	if claim.Outcome != journalv1.ClaimOutcome_CLAIM_OUTCOME_CLAIMED {
		return &journalv1.ClaimTaskResponse{Outcome: claim.Outcome}, nil
	}
	instance, err := s.instance(ctx, claim)
	if err != nil {
		return nil, err
	}
	return &journalv1.ClaimTaskResponse{
		Outcome:           claim.Outcome,
		Run:               &journalv1.Run{TaskId: claim.Task.ID, Epoch: claim.Task.Epoch},
		Command:           claim.Task.Command,
		Instance:          instance,
		Steps:             stepRecords(claim.Task.Steps),
		Failure:           failureProto(claim.Task.Error),
		Stop:              claim.Task.Stop,
		LeaseMilliseconds: s.Lease.Milliseconds(),
		// By this api's clock alone, so that a task's time limit is one over all its runs.
		ElapsedMilliseconds: elapsed(claim.Task).Milliseconds(),
	}, nil
}

func elapsed(task store.Task) time.Duration {
	if task.Started == nil {
		return 0
	}
	return max(time.Since(*task.Started), 0)
}

// instance is what the workflow is told of its instance.
func (s *Server) instance(ctx context.Context, claim store.Claim) (*journalv1.Instance, error) {
	i := claim.Instance
	told := &journalv1.Instance{
		Id:               i.ID,
		ProjectId:        i.ProjectID,
		Name:             i.Name,
		DatastoreVersion: &commandv1.DatastoreVersion{Id: i.DatastoreVersionID},
		Flavor:           &commandv1.Flavor{Id: i.FlavorID, Ram: int32(i.RAM)}, //nolint:gosec // was an int32
		VolumeSize:       int32(i.VolumeSize),                                  //nolint:gosec // was an int32
		ServerId:         i.ServerID,
		VolumeId:         i.VolumeID,
		GuestAddress:     i.GuestAddress,
		ServerStatus:     string(i.ServerStatus),
		ServiceStatus:    string(i.ServiceStatus),
	}
	for _, a := range i.Addresses {
		told.Addresses = append(told.Addresses, &journalv1.InstanceAddress{
			Address: a.Address, Type: a.Type, NetworkId: a.NetworkID,
		})
	}
	if order := claim.Task.Command.GetCreateInstance(); order != nil {
		told.DatastoreVersion, told.Flavor = order.GetDatastoreVersion(), order.GetFlavor()
		return told, nil
	}
	offered, err := s.Catalog.Get(ctx)
	if errors.Is(err, catalog.ErrUnknown) {
		return told, nil
	}
	if err != nil {
		return nil, err
	}
	if version, found := offered.Version(i.DatastoreVersionID); found {
		told.DatastoreVersion.Manager, told.DatastoreVersion.Name = version.Manager, version.Name
		told.DatastoreVersion.Version = version.Version
	}
	if flavor, found := offered.Flavor(i.FlavorID); found {
		told.Flavor.Name, told.Flavor.Vcpus, told.Flavor.Disk = flavor.GetName(), flavor.GetVcpus(), flavor.GetDisk()
	}
	return told, nil
}
