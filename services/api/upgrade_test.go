package api_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

func (w *world) upgrade(id string, version *structpb.Value) (*taskv1.Task, error) {
	accepted, err := w.instances().EditInstance(w.as("demo"), &instancev1.EditInstanceRequest{
		ProjectId: w.project("demo"), InstanceId: id, Instance: &instancev1.InstanceUpdate{DatastoreVersion: version},
	})
	return accepted.GetTask(), err
}

// upgraded has been brought to a version.
func (w *world) upgraded(id, datastore, name string) {
	w.t.Helper()
	task, err := w.upgrade(id, structpb.NewStringValue(name))
	require.NoError(w.t, err)
	w.complete(task.GetId(), &journalv1.FinishTaskRequest{Instance: &journalv1.InstancePatch{
		DatastoreVersion: &commandv1.DatastoreVersion{Id: w.version(datastore, name), Manager: datastore, Name: name},
	}})
	require.Equal(w.t, name, w.get("demo", id).GetDatastore().GetVersion())
}

// postgresql is an active instance of PostgreSQL 15.9.
func (w *world) postgresql(name string) string {
	w.t.Helper()
	body := order(name)
	body.Datastore = &instancev1.NewDatastore{Type: proto.String("postgresql"), Version: proto.String("15")}
	return w.activate("demo", body).GetId()
}

func TestAVersionIsNamedByItsNameOrID(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering(generous)
	for _, wanted := range []string{"10.11", w.version("mariadb", "10.11")} {
		id := w.old("demo", "old")
		task, err := w.upgrade(id, structpb.NewStringValue(wanted))
		require.NoError(t, err)
		assert.Equal(t, "UPGRADE", w.get("demo", id).GetStatus())
		assert.Equal(t, "10.6", w.get("demo", id).GetDatastore().GetVersion(), "until it is done")
		ordered := w.claim(task.GetId()).GetCommand().GetUpgradeInstance().GetDatastoreVersion()
		assert.Equal(t, "10.11.19", ordered.GetVersion())
		assert.Equal(t, "mariadb", ordered.GetManager())
	}
}

func TestRefusedVersionsSayWhy(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t).offering(generous)
	id, late := w.old("demo", "old"), w.active("demo", "late").GetId()
	before := w.state()
	text := structpb.NewStringValue
	for name, test := range map[string]struct {
		id      string
		version *structpb.Value
		kind    errs.Kind
		says    string
	}{
		"null":             {id, structpb.NewNullValue(), errs.Invalid, "Validation error: instance['datastore_version'] is neither the id nor the name of a datastore version"},
		"number":           {id, structpb.NewNumberValue(10.11), errs.Invalid, "Validation error: instance['datastore_version'] is neither"},
		"empty":            {id, text(""), errs.Invalid, "Validation error: instance['datastore_version'] is neither"},
		"unknown name":     {id, text("5.5"), errs.Invalid, "Datastore version '5.5' cannot be found."},
		"unknown id":       {id, text(unknownID), errs.NotFound, "Datastore version '" + unknownID + "' cannot be found in the datastore 'mariadb'."},
		"another engine's": {id, text(w.version("postgresql", "17")), errs.NotFound, "cannot be found in the datastore 'mariadb'."},
		"its own":          {id, text("10.6"), errs.Invalid, "Instance " + id + " has version 10.6.20 already; 10.6.20 is not newer."},
		"an older one":     {late, text("10.6"), errs.Invalid, "Instance " + late + " has version 10.11.19 already; 10.6.20 is not newer."},
	} {
		_, err := w.upgrade(test.id, test.version)
		require.ErrorContains(t, err, test.says, name)
		assert.Equal(t, test.kind, errs.From(err).Kind, name)
	}
	assert.Equal(t, before, w.state())

	fewer := provider()
	fewer.DatastoreVersions = fewer.GetDatastoreVersions()[:1]
	_, err := w.catalogs().RegisterProvider(t.Context(), fewer)
	require.NoError(t, err)
	_, err = w.upgrade(id, text("10.11"))
	require.ErrorContains(t, err, "Datastore version '10.11' is not active.")
}

func TestReplicasAreUpgradedBeforeTheirSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering(generous)
	source, replica := w.pair("demo")
	_, err := w.upgrade(source, structpb.NewStringValue("10.11"))
	require.ErrorContains(t, err, "Upgrade the replicas first: "+replica+" has version 10.6.20.")
	assert.Equal(t, errs.Invalid, errs.From(err).Kind)
	w.upgraded(replica, "mariadb", "10.11")
	w.upgraded(source, "mariadb", "10.11")
}

func TestAMajorVersionOfPostgreSQLDoesNotFollowAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering(generous)
	source := w.postgresql("source")
	replica := w.replica("demo", source, "replica")
	for _, id := range []string{source, replica} {
		_, err := w.upgrade(id, structpb.NewStringValue("17"))
		require.ErrorContains(t, err,
			"PostgreSQL 17 does not replicate with 15: detach or delete the replicas, upgrade, and create them again.")
	}
	w.upgraded(replica, "postgresql", "15.1")
	w.upgraded(source, "postgresql", "15.1")
	alone := w.postgresql("alone")
	w.upgraded(alone, "postgresql", "17")
}
