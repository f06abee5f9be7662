package flow

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// merge sets in patch what later sets. A message such as the addresses is replaced as a whole, never mixed.
func merge(patch, later *journalv1.InstancePatch) *journalv1.InstancePatch {
	if patch == nil {
		patch = &journalv1.InstancePatch{}
	}
	into := patch.ProtoReflect()
	proto.CloneOf(later).ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		into.Set(field, value)
		return true
	})
	return patch
}

// Apply changes an instance as the api does when it records the patch, which may be nil.
func Apply(instance *journalv1.Instance, patch *journalv1.InstancePatch) {
	if patch == nil {
		return
	}
	set(&instance.ServerId, patch.ServerId)
	set(&instance.VolumeId, patch.VolumeId)
	set(&instance.GuestAddress, patch.GuestAddress)
	set(&instance.ServerStatus, patch.ServerStatus)
	set(&instance.ReplicaOf, patch.ReplicaOf)
	set(&instance.VolumeSize, patch.VolumeSize)
	set(&instance.Fenced, patch.Fenced)
	set(&instance.Problem, patch.Problem)
	if patch.GetAddresses() != nil {
		instance.Addresses = patch.GetAddresses().GetAddresses()
	}
	if patch.GetGuestStatus() != nil {
		instance.ServiceStatus = patch.GetGuestStatus().GetServiceStatus()
	}
	if patch.GetFlavor() != nil {
		instance.Flavor = patch.GetFlavor()
	}
	if patch.GetDatastoreVersion() != nil {
		instance.DatastoreVersion = patch.GetDatastoreVersion()
	}
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}
