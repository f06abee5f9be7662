package api_test

import (
	"sync/atomic"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// generous has all that the provider of these tests lacks otherwise, and says what its workflows do.
func generous(p *journalv1.RegisterProviderRequest) {
	p.Capabilities = &journalv1.ProviderCapabilities{PublicAddresses: true, AccessRules: true, Migration: true}
	p.DatastoreVersions = append(p.DatastoreVersions,
		&journalv1.CatalogDatastoreVersion{Manager: "postgresql", Name: "15.1", Version: "15.12"},
		&journalv1.CatalogDatastoreVersion{Manager: "postgresql", Name: "17", Version: "17.2"},
		&journalv1.CatalogDatastoreVersion{Manager: "mysql", Name: "8.4", Version: "8.4.3"},
	)
	for _, name := range []string{
		"create_instance", "create_replica", "restart_instance", "resize_flavor", "resize_volume", "promote_to_replica_source",
		"eject_replica_source", "detach_replica", "upgrade_instance", "update_access", "stop_instance", "reboot_instance",
		"migrate_instance", "rebuild_instance", "delete_instance",
	} {
		p.Workflows = append(p.Workflows, &journalv1.WorkflowOutline{Action: name, Steps: []*journalv1.WorkflowStep{
			{Name: "prepare_" + name, Undoable: true}, {Name: name},
		}})
	}
}

// roomy is a quota that no test reaches by accident.
var roomy = withQuota(10_000, -1, 100_000)

// oldOrder asks for MariaDB 10.6, which can be upgraded.
func oldOrder(name string) *instancev1.NewInstance {
	body := order(name)
	body.Datastore = &instancev1.NewDatastore{Type: proto.String("mariadb"), Version: proto.String("10.6")}
	return body
}

// old is an active instance of MariaDB 10.6.
func (w *world) old(user, name string) string {
	w.t.Helper()
	return w.activate(user, oldOrder(name)).GetId()
}

// replicate accepts a replica and says what was answered.
func (w *world) replicate(user, source, name string) *instancev1.CreateInstanceResponse {
	w.t.Helper()
	return w.create(user, &instancev1.NewInstance{Name: &name, ReplicaOf: &source})
}

// replica is one that follows the source.
func (w *world) replica(user, source, name string) string {
	w.t.Helper()
	created := w.replicate(user, source, name)
	w.complete(created.GetTask().GetId(), &journalv1.FinishTaskRequest{Instance: built()})
	return created.GetInstance().GetId()
}

// pair is a source with one replica.
func (w *world) pair(user string) (source, replica string) {
	w.t.Helper()
	source = w.old(user, "source")
	return source, w.replica(user, source, "replica")
}

// serverIs has the provider say that the server is in that state.
func (w *world) serverIs(id, state string) {
	w.t.Helper()
	_, err := w.guests().ReportServerStatus(w.t.Context(),
		&journalv1.ReportServerStatusRequest{InstanceId: id, ServerStatus: state})
	require.NoError(w.t, err)
}

var reports atomic.Uint64

// serviceIs has the guest say that its database is in that state.
func (w *world) serviceIs(id, state string) {
	w.t.Helper()
	said := healthy(1 + reports.Add(1))
	said.ServiceStatus = state
	w.report(id, said)
}

// silent has the monitor say that it has lost the guest.
func (w *world) silent(id string) {
	w.t.Helper()
	w.report(id, nil)
}

func (w *world) report(id string, said *journalv1.GuestStatus) {
	w.t.Helper()
	_, err := w.guests().ReportGuestStatus(w.t.Context(),
		&journalv1.ReportGuestStatusRequest{Worker: "tm", InstanceId: id, Status: said})
	require.NoError(w.t, err)
}

// deadSource is a source whose server is down, with one replica.
func (w *world) deadSource(user string) string {
	w.t.Helper()
	source, _ := w.pair(user)
	w.serverIs(source, "SHUTDOWN")
	return source
}

// ejected is a source that was ejected.
func (w *world) ejected(user string) string {
	w.t.Helper()
	source, replica := w.pair(user)
	w.serverIs(source, "SHUTDOWN")
	accepted, err := w.instances().EjectReplicaSource(w.as(user),
		&instancev1.EjectReplicaSourceRequest{ProjectId: w.project(user), InstanceId: source})
	require.NoError(w.t, err)
	w.complete(accepted.GetTask().GetId(), &journalv1.FinishTaskRequest{
		Instance: &journalv1.InstancePatch{Fenced: proto.Bool(true)},
		Fault:    &journalv1.Fault{Message: "It was ejected; its data are kept; delete it."},
		Members:  map[string]*journalv1.MemberEnd{replica: {Instance: &journalv1.InstancePatch{ReplicaOf: proto.String("")}}},
	})
	return source
}
