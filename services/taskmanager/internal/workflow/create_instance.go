package workflow

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// createInstance makes a database out of nothing.
//
// The user sees BUILD, then ACTIVE and HEALTHY at the first query that succeeds; or ERROR with a fault that names the
// step and its cause. A create that fails or is cancelled gives back to the cloud everything it took; the instance, its
// fault and its quota stay until it is deleted.
func createInstance(parts Parts) *flow.Workflow {
	w := create{Parts: parts}
	return flow.New(action.CreateInstance, settleCreate).
		Step("allocate_address", w.allocateAddress, flow.Undo(w.unlessKept(w.releaseAddress))).
		Step("create_volume", w.createVolume, flow.Undo(w.unlessKept(w.deleteVolume)), flow.Timeout(5*time.Minute)).
		Step("create_server", w.createServer, flow.Undo(w.unlessKept(w.deleteServer)), flow.Timeout(10*time.Minute)).
		Step("enrol_guest", w.onServer(w.enrol), flow.Timeout(w.BootLimit)).
		Step("prepare_database", w.onServer(w.prepareDatabase), flow.Timeout(10*time.Minute)).
		Step("await_healthy", w.onServer(w.awaitHealthy), flow.Timeout(healthyTimeout), flow.Waits())
}

// buildingErrors are what remains of a failure in a step: Trove's words for what was being built.
var buildingErrors = map[string]status.Task{
	"allocate_address": status.TaskBuildingErrorPort,
	"create_volume":    status.TaskBuildingErrorVolume,
	"create_server":    status.TaskBuildingErrorServer,
	"enrol_guest":      status.TaskBuildingErrorTimeout,
	"prepare_database": status.TaskBuildingErrorTimeout,
	"copy_source":      status.TaskBuildingErrorReplica,
	"await_streaming":  status.TaskBuildingErrorReplica,
	"await_healthy":    status.TaskBuildingErrorTimeout,
}

func settleCreate(_ *flow.Run, end flow.End) flow.Settlement {
	switch end.Outcome {
	case journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED:
		return flow.Settlement{TaskStatus: status.TaskNone}
	case journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED:
		return flow.Settlement{
			TaskStatus: status.TaskBuildingErrorServer,
			Fault:      &journalv1.Fault{Message: "The creation was cancelled; delete the instance."},
		}
	default:
		left, known := buildingErrors[end.Failure.GetStep()]
		if !known {
			left = status.TaskBuildingErrorServer
		}
		return flow.Settlement{TaskStatus: left, Fault: fault(end, "delete the instance and create it again")}
	}
}

type create struct{ Parts }

// order is what all orders to make an instance say.
type order interface {
	GetDatastoreVersion() *commandv1.DatastoreVersion
	GetFlavor() *commandv1.Flavor
	GetVolumeSize() int32
	GetVolumeType() string
	GetAvailabilityZone() string
	GetNic() *commandv1.NIC
	GetLocality() string
	GetAccess() *commandv1.Access
}

func orderOf(r *flow.Run) order {
	if replica := r.Command.GetCreateReplica(); replica != nil {
		return replica
	}
	return r.Command.GetCreateInstance()
}

func (w create) allocateAddress(ctx context.Context, r *flow.Run) error {
	address, err := w.address(ctx, r)
	if err != nil {
		return fmt.Errorf("allocate address: %w", err)
	}
	order := orderOf(r)
	public, err := w.allow(ctx, r, order.GetDatastoreVersion().GetManager(), order.GetAccess())
	if err != nil {
		return err
	}
	addresses := &journalv1.InstanceAddresses{Addresses: []*journalv1.InstanceAddress{
		{Address: address.IP, Type: "private", NetworkId: address.NetworkID},
	}}
	addresses.Addresses = append(addresses.Addresses, public...)
	r.Change(&journalv1.InstancePatch{Addresses: addresses})
	return nil
}

func (w create) createVolume(ctx context.Context, r *flow.Run) error {
	volume, err := w.volume(ctx, r)
	if err != nil {
		return fmt.Errorf("create volume: %w", err)
	}
	r.Change(&journalv1.InstancePatch{VolumeId: proto.String(volume.ID)})
	return nil
}

// createServer asks again for the address and the volume that the steps before made: the provider answers with the
// ones that are there, and a run that resumes here has no other way to know them.
func (w create) createServer(ctx context.Context, r *flow.Run) error {
	address, err := w.address(ctx, r)
	if err != nil {
		return fmt.Errorf("find address: %w", err)
	}
	volume, err := w.volume(ctx, r)
	if err != nil {
		return fmt.Errorf("find volume: %w", err)
	}
	bootstrap, err := w.bootstrap(ctx, r)
	if err != nil {
		return err
	}
	order := orderOf(r)
	server, err := w.Servers.CreateServer(ctx, step.ServerSpec{
		InstanceID: r.Instance.GetId(), Owner: owner(r), Name: r.Instance.GetName(), Flavor: flavor(order.GetFlavor()),
		AvailabilityZone: order.GetAvailabilityZone(), Locality: order.GetLocality(),
		ReplicaOf: r.Command.GetCreateReplica().GetSourceId(), Address: address, Volume: volume,
		Bootstrap: bootstrap,
		Manager:   order.GetDatastoreVersion().GetManager(), Version: order.GetDatastoreVersion().GetVersion(),
	})
	if err != nil {
		return fmt.Errorf("create server: %w", err)
	}
	found(r, server)
	return nil
}

func (w create) prepareDatabase(ctx context.Context, r *flow.Run) error {
	order := r.Command.GetCreateInstance()
	request := &guestagentv1.PrepareRequest{
		Operation: step.Operation(r), Manager: order.GetDatastoreVersion().GetManager(),
		Version: order.GetDatastoreVersion().GetVersion(), Ram: order.GetFlavor().GetRam(),
	}
	for _, d := range order.GetDatabases() {
		request.Databases = append(request.Databases, &guestagentv1.Database{
			Name: d.GetName(), CharacterSet: d.GetCharacterSet(), Collate: d.GetCollate(),
		})
	}
	passwords, err := r.Secrets(ctx)
	if err != nil {
		return err
	}
	for _, u := range order.GetUsers() {
		request.Users = append(request.Users, &guestagentv1.User{
			Name: u.GetName(), Host: u.GetHost(), Password: passwords[u.GetName()+"@"+u.GetHost()], Databases: u.GetDatabases(),
		})
	}
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	if err := guest.Prepare(ctx, request, r.Say); err != nil {
		return fmt.Errorf("prepare database: %w", err)
	}
	r.DropSecrets()
	return nil
}

func (w create) address(ctx context.Context, r *flow.Run) (step.Address, error) {
	nic := orderOf(r).GetNic()
	return w.Ports.AllocateAddress(ctx, step.AddressSpec{
		InstanceID: r.Instance.GetId(), Owner: owner(r), NetworkID: nic.GetNetworkId(), SubnetID: nic.GetSubnetId(), IPAddress: nic.GetIpAddress(),
	})
}

func (w create) volume(ctx context.Context, r *flow.Run) (step.Volume, error) {
	order := orderOf(r)
	return w.Volumes.CreateVolume(ctx, step.VolumeSpec{
		InstanceID: r.Instance.GetId(), Owner: owner(r), Name: r.Instance.GetName(), Size: int(order.GetVolumeSize()),
		Type: order.GetVolumeType(), AvailabilityZone: order.GetAvailabilityZone(),
	})
}

// unlessKept leaves what a failure has made, when the operator wants to look at it. A cancelled create is undone always.
func (w create) unlessKept(undo flow.Func) flow.Func {
	return func(ctx context.Context, r *flow.Run) error {
		if w.KeepFailed && r.Failed() {
			r.Say("Kept to be looked at.")
			return nil
		}
		return undo(ctx, r)
	}
}
