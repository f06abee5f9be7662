package view

import (
	"math"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/status"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const bytesPerGiB = 1 << 30

// withoutVolumeUse are the states in which the guest's last word on its volume is not shown: the union of what Trove
// does and what its documents say.
var withoutVolumeUse = []string{"BUILD", "REBOOT", "RESIZE", "PROMOTE", "EJECT", "UPGRADE", "SHUTDOWN", "ERROR"}

// Instance is the list form. replicas are the ids of the instance's replicas.
func (w Writer) Instance(i store.Instance, replicas []string) *instancev1.Instance {
	inputs := i.Inputs(w.now)
	version, _ := w.catalog.Version(i.DatastoreVersionID)
	shown := &instancev1.Instance{
		Id:              i.ID,
		Name:            i.Name,
		Status:          status.Shown(inputs),
		OperatingStatus: status.Operating(inputs),
		Links:           w.links("instances", i.ID),
		Flavor:          &instancev1.Flavor{Id: i.FlavorID, Links: w.links("flavors", i.FlavorID)},
		Datastore:       &instancev1.Datastore{Type: version.DatastoreName, Version: version.Name},
		Region:          i.Region,
		Access:          access(i),
		Volume:          &instancev1.Volume{Size: int32(i.VolumeSize)}, //nolint:gosec // GiB, bounded when accepted
	}
	for _, address := range i.Addresses {
		shown.Ip = append(shown.Ip, address.Address)
		shown.Addresses = append(shown.Addresses, addressOf(address))
	}
	if i.ReplicaOf != "" {
		shown.ReplicaOf = w.reference(i.ReplicaOf)
	}
	for _, replica := range replicas {
		shown.Replicas = append(shown.Replicas, w.reference(replica))
	}
	if w.admin {
		shown.TenantId = &i.ProjectID
	}
	return shown
}

func (w Writer) reference(id string) *instancev1.Reference {
	return &instancev1.Reference{Id: id, Links: w.links("instances", id)}
}

// Detail is the detail form.
func (w Writer) Detail(i store.Instance, replicas []string) *instancev1.Instance {
	shown := w.Instance(i, replicas)
	version, _ := w.catalog.Version(i.DatastoreVersionID)
	shown.Datastore.VersionNumber = &version.Version
	shown.Created = proto.String(store.Timestamp(i.Created))
	shown.Updated = proto.String(store.Timestamp(i.Updated))
	heard := i.ServiceStatusUpdated
	if heard.IsZero() {
		heard = i.Created
	}
	shown.ServiceStatusUpdated = proto.String(store.Timestamp(heard))
	shown.Locality = unlessEmpty(i.Locality)
	shown.Fault = w.fault(i.Fault)
	if w.admin {
		shown.ServerId = unlessEmpty(i.ServerID)
		shown.VolumeId = unlessEmpty(i.VolumeID)
		// Guests are spoken to over mTLS alone.
		shown.EncryptedRpcMessaging = proto.Bool(true)
	}
	return shown
}

// Whole is the detail form with what the guest says of its volume, for the one call that shows it.
func (w Writer) Whole(i store.Instance, replicas []string) *instancev1.Instance {
	shown := w.Detail(i, replicas)
	if !w.knowsVolumeUse(i, shown.GetStatus()) {
		return shown
	}
	shown.Volume.Used = proto.Float64(twoDecimals(float64(i.VolumeUsedBytes) / bytesPerGiB))
	shown.Volume.UsedPercent = proto.Float64(twoDecimals(100 * float64(i.VolumeUsedBytes) / float64(i.VolumeTotalBytes)))
	return shown
}

func (w Writer) knowsVolumeUse(i store.Instance, shown string) bool {
	return i.VolumeTotalBytes > 0 && !i.Inputs(w.now).Silent && !slices.Contains(withoutVolumeUse, shown)
}

func (w Writer) fault(f *store.Fault) *instancev1.Fault {
	if f == nil {
		return nil
	}
	details := structpb.NewNullValue()
	if w.admin {
		details = structpb.NewStringValue(f.Details)
	}
	return &instancev1.Fault{Message: f.Message, Created: store.Timestamp(f.Created), Details: details}
}

// access is what was asked for, else what the addresses say, else nothing.
func access(i store.Instance) *instancev1.Access {
	if i.Access != nil {
		return &instancev1.Access{IsPublic: i.Access.IsPublic, AllowedCidrs: i.Access.AllowedCIDRs}
	}
	if len(i.Addresses) == 0 {
		return &instancev1.Access{}
	}
	public := slices.ContainsFunc(i.Addresses, func(a store.Address) bool { return a.Type == "public" })
	return &instancev1.Access{IsPublic: &public}
}

func addressOf(a store.Address) *instancev1.Address {
	shown := &instancev1.Address{Address: a.Address, Type: a.Type}
	if a.Type == "private" {
		shown.Network = unlessEmpty(a.NetworkID)
	}
	return shown
}

func unlessEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func twoDecimals(x float64) float64 { return math.Round(x*100) / 100 }
