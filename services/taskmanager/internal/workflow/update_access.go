package workflow

import (
	"context"
	"fmt"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// updateAccess says anew who may reach the database.
//
// The user sees ACTIVE, and the new rules and addresses at the end; or ERROR with a fault, until the access is updated
// again or the status is reset. Setting rules is one call that may be repeated, so nothing is undone.
func updateAccess(parts Parts) *flow.Workflow {
	w := access{parts}
	return flow.New(action.UpdateAccess, settleAccess).
		Step("update_access", w.updateAccess, flow.NoCancel())
}

func settleAccess(_ *flow.Run, end flow.End) flow.Settlement {
	if end.Failure == nil {
		return flow.Settlement{TaskStatus: status.TaskNone}
	}
	return flow.Settlement{TaskStatus: status.TaskUpdatingErrorAccess, Fault: fault(end, "reset the status and update the access again")}
}

type access struct{ Parts }

func (w access) updateAccess(ctx context.Context, r *flow.Run) error {
	wanted := r.Command.GetUpdateAccess().GetAccess()
	public, err := w.allow(ctx, r, r.Instance.GetDatastoreVersion().GetManager(), wanted)
	if err != nil {
		return err
	}
	addresses := &journalv1.InstanceAddresses{}
	for _, address := range r.Instance.GetAddresses() {
		if address.GetType() != publicAddress {
			addresses.Addresses = append(addresses.Addresses, address)
		}
	}
	addresses.Addresses = append(addresses.Addresses, public...)
	r.Change(&journalv1.InstancePatch{Access: wanted, Addresses: addresses})
	return nil
}

// publicAddress is the type of an address that is reachable from outside.
const publicAddress = "public"

// allow lets in to the instance's database who may, and answers with the addresses at which it is reachable from outside.
func (p Parts) allow(
	ctx context.Context, r *flow.Run, manager string, wanted *commandv1.Access,
) ([]*journalv1.InstanceAddress, error) {
	public, err := p.Ports.UpdateAccess(ctx, r.Instance.GetId(), step.Access{
		Manager: manager, Public: wanted.GetIsPublic(), CIDRs: wanted.GetAllowedCidrs(),
	})
	if err != nil {
		return nil, fmt.Errorf("update access: %w", err)
	}
	var addresses []*journalv1.InstanceAddress
	for _, address := range public {
		addresses = append(addresses, &journalv1.InstanceAddress{Address: address.IP, Type: publicAddress, NetworkId: address.NetworkID})
	}
	return addresses, nil
}
