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
	claim, err := s.Store.ClaimTask(ctx, store.Bid{
		TaskID: request.GetTaskId(), Worker: request.GetWorker(), Plan: steps(request.GetPlan()),
		Lease: s.Lease, MaxClaims: s.MaxClaims,
	})
	if err != nil {
		return nil, err
	}
	if claim.Outcome != journalv1.ClaimOutcome_CLAIM_OUTCOME_CLAIMED {
		return &journalv1.ClaimTaskResponse{Outcome: claim.Outcome}, nil
	}
	instance, members, err := s.told(ctx, claim)
	if err != nil {
		return nil, err
	}
	return &journalv1.ClaimTaskResponse{
		Outcome:           claim.Outcome,
		Run:               &journalv1.Run{TaskId: claim.Task.ID, Epoch: claim.Task.Epoch},
		Command:           claim.Task.Command,
		Instance:          instance,
		Members:           members,
		Notes:             claim.Task.Notes,
		Steps:             stepRecords(claim.Former),
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

// told is what the workflow is told of its instance, and of the other members of a set that it holds.
func (s *Server) told(ctx context.Context, claim store.Claim) (*journalv1.Instance, []*journalv1.Instance, error) {
	offered, err := s.Catalog.Get(ctx)
	if err != nil && !errors.Is(err, catalog.ErrUnknown) {
		return nil, nil, err
	}
	ids := []string{claim.Instance.ID}
	for _, member := range claim.Members {
		ids = append(ids, member.ID)
	}
	replicas, err := s.Store.Replicas(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	tell := func(i store.Instance) *journalv1.Instance {
		told := instance(i, time.Now())
		told.Replicas = replicas[i.ID]
		describe(told, offered)
		return told
	}
	instance := tell(claim.Instance)
	// A creation's order stands, whatever the catalogue says by now.
	switch order := claim.Task.Command.GetAction().(type) {
	case *commandv1.Command_CreateInstance:
		instance.DatastoreVersion = order.CreateInstance.GetDatastoreVersion()
		instance.Flavor = order.CreateInstance.GetFlavor()
	case *commandv1.Command_CreateReplica:
		instance.DatastoreVersion = order.CreateReplica.GetDatastoreVersion()
		instance.Flavor = order.CreateReplica.GetFlavor()
	}
	var members []*journalv1.Instance
	for _, member := range claim.Members {
		told := tell(member.Instance)
		told.Problem = member.Problem
		members = append(members, told)
	}
	return instance, members, nil
}

// instance is what the row says, as of now.
func instance(i store.Instance, now time.Time) *journalv1.Instance {
	told := &journalv1.Instance{
		Id:                 i.ID,
		ProjectId:          i.ProjectID,
		Name:               i.Name,
		DatastoreVersion:   &commandv1.DatastoreVersion{Id: i.DatastoreVersionID},
		Flavor:             &commandv1.Flavor{Id: i.FlavorID, Ram: int32(i.RAM)}, //nolint:gosec // was an int32
		VolumeSize:         int32(i.VolumeSize),                                  //nolint:gosec // was an int32
		ServerId:           i.ServerID,
		VolumeId:           i.VolumeID,
		GuestAddress:       i.GuestAddress,
		ServerStatus:       string(i.ServerStatus),
		ServiceStatus:      string(i.ServiceStatus),
		ReplicaOf:          i.ReplicaOf,
		Fenced:             i.Fenced,
		SilentMilliseconds: i.Silence(now).Milliseconds(),
	}
	for _, a := range i.Addresses {
		told.Addresses = append(told.Addresses, &journalv1.InstanceAddress{
			Address: a.Address, Type: a.Type, NetworkId: a.NetworkID,
		})
	}
	return told
}

// describe adds what the catalogue knows of version and flavor; there may be none yet.
func describe(told *journalv1.Instance, offered *catalog.Catalog) {
	if offered == nil {
		return
	}
	if version, found := offered.Version(told.GetDatastoreVersion().GetId()); found {
		told.DatastoreVersion.Manager, told.DatastoreVersion.Name = version.Manager, version.Name
		told.DatastoreVersion.Version = version.Version
	}
	if flavor, found := offered.Flavor(told.GetFlavor().GetId()); found {
		told.Flavor.Name, told.Flavor.Vcpus, told.Flavor.Disk = flavor.GetName(), flavor.GetVcpus(), flavor.GetDisk()
	}
}
