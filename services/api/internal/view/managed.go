package view

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/status"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// volumeDevice is the name that guests know the data volume by: Trove's device_path.
const volumeDevice = "/dev/vdb"

// Managed is the form of management's list: trove/extensions/mgmt/instances/views.py.
func (w Writer) Managed(i store.Instance, replicas []string) *instancev1.Instance {
	shown := w.Detail(i, replicas)
	shown.Server = serverOf(i)
	shown.ServiceStatus = proto.String(status.ServiceWord(i.ServiceStatus))
	shown.TenantId = &i.ProjectID
	shown.Deleted = proto.Bool(i.Deleted != nil)
	shown.DeletedAt = structpb.NewNullValue()
	if i.Deleted != nil {
		shown.DeletedAt = structpb.NewStringValue(store.Timestamp(*i.Deleted))
	}
	shown.TaskDescription = proto.String(i.TaskStatus.Description())
	return shown
}

// ManagedWhole is the form of the one call that shows a managed instance.
func (w Writer) ManagedWhole(i store.Instance, replicas []string) *instancev1.Instance {
	shown := w.Managed(i, replicas)
	shown.GuestStatus = &instancev1.GuestStatus{StateDescription: i.ServiceStatus.Description()}
	if server := shown.GetServer().GetStructValue(); server != nil {
		server.Fields["addresses"] = serverAddresses(i)
	}
	if i.VolumeID == "" {
		return shown
	}
	shown.Volume.Id = &i.VolumeID
	shown.Volume.CreatedAt = proto.String(store.Timestamp(i.Created))
	shown.Volume.AvailabilityZone = unlessEmpty(i.AvailabilityZone)
	shown.Volume.Status = proto.String("available")
	if i.ServerID != "" {
		shown.Volume.Status = proto.String("in-use")
		shown.Volume.Attachments = []*instancev1.Attachment{{ServerId: i.ServerID, Device: volumeDevice}}
	}
	if w.knowsVolumeUse(i, shown.GetStatus()) {
		shown.Volume.Used = proto.Float64(twoDecimals(float64(i.VolumeUsedBytes) / bytesPerGiB))
		shown.Volume.Total = proto.Float64(twoDecimals(float64(i.VolumeTotalBytes) / bytesPerGiB))
	}
	return shown
}

// serverOf is what compute calls the server, or null while there is none.
func serverOf(i store.Instance) *structpb.Value {
	if i.ServerID == "" {
		return structpb.NewNullValue()
	}
	return structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
		"id": structpb.NewStringValue(i.ServerID), "name": structpb.NewStringValue(i.Name),
		"status": structpb.NewStringValue(string(i.ServerStatus)), "tenant_id": structpb.NewStringValue(i.ProjectID),
		"host": structpb.NewNullValue(),
	}})
}

// serverAddresses are the server's addresses in compute's own form, by the name of the network.
func serverAddresses(i store.Instance) *structpb.Value {
	byNetwork := map[string]*structpb.Value{}
	for _, address := range i.Addresses {
		if byNetwork[address.Type] == nil {
			byNetwork[address.Type] = structpb.NewListValue(&structpb.ListValue{})
		}
		list := byNetwork[address.Type].GetListValue()
		list.Values = append(list.Values, structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
			"addr": structpb.NewStringValue(address.Address), "version": structpb.NewNumberValue(4),
		}}))
	}
	return structpb.NewStructValue(&structpb.Struct{Fields: byNetwork})
}
