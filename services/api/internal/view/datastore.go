package view

import (
	"google.golang.org/protobuf/proto"

	datastorev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/datastore/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Datastores are those that the caller may see: one without an active version is for admins alone.
func (w Writer) Datastores() []*datastorev1.Datastore {
	shown := []*datastorev1.Datastore{}
	for _, d := range w.catalog.Datastores {
		if w.Sees(d) {
			shown = append(shown, w.Datastore(d))
		}
	}
	return shown
}

// Sees says whether the caller may see the datastore.
func (w Writer) Sees(d catalog.Datastore) bool { return w.admin || d.Active() }

// SeesVersion says whether the caller may see the version.
func (w Writer) SeesVersion(v store.DatastoreVersion) bool { return w.admin || v.Active }

// Datastore is a datastore with its versions.
func (w Writer) Datastore(d catalog.Datastore) *datastorev1.Datastore {
	shown := &datastorev1.Datastore{
		Id: d.ID, Name: d.Name, Links: w.links("datastores", d.ID), DefaultVersion: unlessEmpty(d.DefaultVersion),
	}
	for _, v := range d.Versions {
		if w.SeesVersion(v) {
			shown.Versions = append(shown.Versions, w.embeddedVersion(v))
		}
	}
	return shown
}

// Versions are a datastore's versions as a list of their own.
func (w Writer) Versions(d catalog.Datastore) []*datastorev1.DatastoreVersion {
	shown := []*datastorev1.DatastoreVersion{}
	for _, v := range d.Versions {
		if w.SeesVersion(v) {
			shown = append(shown, w.Version(v))
		}
	}
	return shown
}

// Version is a version by itself: it names its datastore.
func (w Writer) Version(v store.DatastoreVersion) *datastorev1.DatastoreVersion {
	shown := w.embeddedVersion(v)
	shown.Datastore = &v.DatastoreID
	return shown
}

func (w Writer) embeddedVersion(v store.DatastoreVersion) *datastorev1.DatastoreVersion {
	shown := &datastorev1.DatastoreVersion{
		Id: v.ID, Name: v.Name, Version: v.Version, Links: w.links("datastores/versions", v.ID),
	}
	if w.admin {
		shown.Active = proto.Bool(v.Active)
		shown.Packages = proto.String("")
		shown.Image = proto.String("")
		shown.RegistryExt = proto.String("")
		shown.ReplStrategy = proto.String("")
	}
	return shown
}
