package api_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

func TestAReplicaIsWhatItsSourceIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withQuota(2, 2048, 6)).offering()
	body := oldOrder("source")
	body.FlavorRef, body.Volume = structpb.NewStringValue("2"), &instancev1.NewVolume{Size: structpb.NewNumberValue(3)}
	body.Locality = proto.String("affinity")
	source := w.activate("demo", body).GetId()
	upper := strings.ToUpper(source)
	created := w.create("demo", &instancev1.NewInstance{
		Name: proto.String("replica"), ReplicaOf: &upper, Nics: []*instancev1.NewNIC{{SubnetId: proto.String(subnetID)}},
		AvailabilityZone: proto.String("nova"), Access: &instancev1.NewAccess{IsPublic: proto.Bool(false)},
		Volume: &instancev1.NewVolume{}, Datastore: &instancev1.NewDatastore{}, FlavorRef: structpb.NewNullValue(),
	})
	replica := created.GetInstance()
	assert.Equal(t, "BUILD", replica.GetStatus())
	assert.Equal(t, source, replica.GetReplicaOf().GetId())
	assert.Equal(t, "2", replica.GetFlavor().GetId())
	assert.Equal(t, "10.6", replica.GetDatastore().GetVersion())
	assert.Equal(t, int32(3), replica.GetVolume().GetSize())
	assert.Equal(t, "affinity", replica.GetLocality())
	assert.Equal(t, "create_replica", created.GetTask().GetAction())
	assert.Equal(t, "ACTIVE", w.get("demo", source).GetStatus(), "its source goes on")
	require.Len(t, w.get("demo", source).GetReplicas(), 1)
	assert.Equal(t, replica.GetId(), w.get("demo", source).GetReplicas()[0].GetId())

	ordered := w.claim(created.GetTask().GetId()).GetCommand().GetCreateReplica()
	assert.Equal(t, source, ordered.GetSourceId())
	assert.Equal(t, "10.6.20", ordered.GetDatastoreVersion().GetVersion())
	assert.Equal(t, int32(1024), ordered.GetFlavor().GetRam())
	assert.Equal(t, int32(3), ordered.GetVolumeSize())
	assert.Equal(t, "local", ordered.GetVolumeType())
	assert.Equal(t, "affinity", ordered.GetLocality())
	assert.Equal(t, "nova", ordered.GetAvailabilityZone())
	assert.Equal(t, networkID, ordered.GetNic().GetNetworkId())

	_, err := w.instances().CreateInstance(w.as("demo"), &instancev1.CreateInstanceRequest{
		ProjectId: w.project("demo"), Instance: &instancev1.NewInstance{Name: proto.String("beyond"), ReplicaOf: &source},
	})
	require.ErrorContains(t, err, "Quota exceeded for resources: ['instances', 'ram', 'volumes'].")
	assert.Equal(t, errs.OverQuota, errs.From(err).Kind)
}

func TestReplicasAreMadeAllOrNone(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, withQuota(4, -1, 40)).offering(generous)
	source := w.old("demo", "source")
	request := &instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: &instancev1.NewInstance{
		Name: proto.String("twin"), ReplicaOf: &source, ReplicaCount: structpb.NewNumberValue(3),
	}}
	before := w.state()
	dry, err := w.instances().CreateInstance(w.as("demo", dryRunHeader, "true"), request)
	require.NoError(t, err)
	assert.Equal(t, "create_replica", dry.GetPlan().GetAction())
	assert.Len(t, dry.GetPlan().GetMembers(), 2, "the others")
	assert.Len(t, dry.GetPlan().GetSteps(), 2)
	assert.Equal(t, before, w.state())

	made, err := w.instances().CreateInstance(w.as("demo", keyHeader, "k"), request)
	require.NoError(t, err)
	assert.Equal(t, "twin-3", made.GetInstance().GetName(), "the last one is shown")
	again, err := w.instances().CreateInstance(w.as("demo", keyHeader, "k"), request)
	require.NoError(t, err)
	assert.Equal(t, made.GetTask().GetId(), again.GetTask().GetId())
	assert.Equal(t, made.GetInstance().GetId(), again.GetInstance().GetId())
	names := map[string]bool{}
	for _, replica := range w.get("demo", source).GetReplicas() {
		names[w.get("demo", replica.GetId()).GetName()] = true
	}
	assert.Equal(t, map[string]bool{"twin-1": true, "twin-2": true, "twin-3": true}, names)

	poor := newQuietWorld(t, withQuota(3, -1, 40)).offering(generous)
	source = poor.old("demo", "source")
	request.ProjectId, request.Instance.ReplicaOf = poor.project("demo"), &source
	before = poor.state()
	_, err = poor.instances().CreateInstance(poor.as("demo"), request)
	require.ErrorContains(t, err, "Quota exceeded for resources: ['instances'].")
	assert.Equal(t, before, poor.state(), "the two that fit are not there either")
}

func TestRefusedReplicasSayWhyAndLeaveNothing(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering(generous)
	source, replica := w.pair("demo")
	foreign := w.old("admin", "foreign")
	body := order("mysql")
	body.Datastore = &instancev1.NewDatastore{Type: proto.String("mysql")}
	mysql := w.activate("demo", body).GetId()
	young := w.create("demo", order("young")).GetInstance().GetId()
	busy := w.old("demo", "busy")
	_, _, err := w.operations()["restart"].call(w.as("demo"), w.project("demo"), busy)
	require.NoError(t, err)
	ill := w.old("demo", "ill")
	w.serviceIs(ill, "PAUSED")

	of := func(id string) func(*instancev1.NewInstance) {
		return func(b *instancev1.NewInstance) { b.ReplicaOf = &id }
	}
	text := func(s string) *string { return &s }
	tests := map[string]struct {
		change func(*instancev1.NewInstance)
		kind   errs.Kind
		says   string
	}{
		"flavor":     {func(b *instancev1.NewInstance) { b.FlavorRef = structpb.NewNumberValue(1) }, errs.Invalid, "Cannot specify flavor when creating replicas."},
		"datastore":  {func(b *instancev1.NewInstance) { b.Datastore = &instancev1.NewDatastore{Type: text("mariadb")} }, errs.Invalid, "Cannot specify datastore when creating replicas."},
		"version":    {func(b *instancev1.NewInstance) { b.Datastore = &instancev1.NewDatastore{Version: text("10.6")} }, errs.Invalid, "Cannot specify datastore when creating replicas."},
		"volume":     {func(b *instancev1.NewInstance) { b.Volume = &instancev1.NewVolume{Size: structpb.NewNumberValue(9)} }, errs.Invalid, "Cannot specify volume when creating replicas."},
		"volumetype": {func(b *instancev1.NewInstance) { b.Volume = &instancev1.NewVolume{Type: text("local")} }, errs.Invalid, "Cannot specify volume when creating replicas."},
		"locality":   {func(b *instancev1.NewInstance) { b.Locality = text("affinity") }, errs.Invalid, "Cannot specify locality when creating replicas."},
		"address": {func(b *instancev1.NewInstance) {
			b.Nics = []*instancev1.NewNIC{{SubnetId: text(subnetID), IpAddress: text("10.0.0.1")}}
		}, errs.Invalid, "Cannot specify IP address when creating replicas."},
		"users": {func(b *instancev1.NewInstance) {
			b.Users = []*instancev1.NewUser{{Name: "app", Password: "planted"}}
		}, errs.Invalid, "Cannot create a replica with users or databases."},
		"databases": {func(b *instancev1.NewInstance) {
			b.Databases = []*instancev1.NewDatabase{{Name: "shop"}}
		}, errs.Invalid, "Cannot create a replica with users or databases."},
		"none of them": {func(b *instancev1.NewInstance) { b.ReplicaCount = structpb.NewNumberValue(0) }, errs.Invalid, "Validation error: instance['replica_count'] 0 is not an integer from 1 to 3"},
		"four of them": {func(b *instancev1.NewInstance) { b.ReplicaCount = structpb.NewNumberValue(4) }, errs.Invalid, "Validation error: instance['replica_count'] 4 is not an integer from 1 to 3"},
		"two and a half": {func(b *instancev1.NewInstance) {
			b.ReplicaCount = structpb.NewNumberValue(2.5)
		}, errs.Invalid, "Validation error: instance['replica_count'] 2.5 is not an integer from 1 to 3"},
		"no name": {func(b *instancev1.NewInstance) { b.Name = nil }, errs.Invalid, "Validation error: instance 'name' is a required property"},
		"too long with its number": {func(b *instancev1.NewInstance) {
			b.Name, b.ReplicaCount = text(strings.Repeat("x", 255)), structpb.NewNumberValue(2)
		}, errs.Invalid, "Validation error: instance['name'] is too long; it must have 1 to 255 characters"},
		"no uuid":            {of("other"), errs.Invalid, "Validation error: instance['replica_of'] 'other' is not the id of an instance"},
		"empty":              {of(""), errs.Invalid, "Validation error: instance['replica_of'] '' is not the id of an instance"},
		"unknown":            {of(unknownID), errs.NotFound, "Resource " + unknownID + " cannot be found."},
		"foreign":            {of(foreign), errs.NotFound, "Resource " + foreign + " cannot be found."},
		"replica":            {of(replica), errs.Unauthenticated, "Cannot create a replica of a replica " + replica},
		"engine without":     {of(mysql), errs.Invalid, "Replication is not supported for the 'mysql' datastore."},
		"source being built": {of(young), errs.WrongState, "Instance " + young + " is not ready."},
		"source at work":     {of(busy), errs.WrongState, "Instance " + busy + " is not currently available for an action to be performed (task status was REBOOTING)."},
		"source that is ill": {of(ill), errs.WrongState, "Instance " + ill + " is not currently available for an action to be performed (instance status was SHUTDOWN)."},
	}
	before := w.state()
	for name, test := range tests {
		body := &instancev1.NewInstance{Name: proto.String("replica"), ReplicaOf: &source}
		test.change(body)
		_, err := w.instances().CreateInstance(w.as("demo"),
			&instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: body})
		require.ErrorContains(t, err, test.says, name)
		assert.Equal(t, test.kind, errs.From(err).Kind, name)
	}
	_, err = w.instances().CreateInstance(w.as("reader"), &instancev1.CreateInstanceRequest{
		ProjectId: w.project("reader"), Instance: &instancev1.NewInstance{Name: proto.String("no"), ReplicaOf: &source},
	})
	require.ErrorContains(t, err, "Policy doesn't allow instance:create to be performed.")
	assert.Equal(t, before, w.state())
}

func TestAnAdminMakesNoReplicasAcrossProjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	source := w.old("demo", "source")
	_, err := w.instances().CreateInstance(w.as("admin"), &instancev1.CreateInstanceRequest{
		ProjectId: w.project("admin"), Instance: &instancev1.NewInstance{Name: proto.String("no"), ReplicaOf: &source},
	})
	assert.True(t, errs.IsKind(err, errs.NotFound), "%v", err)
}

func TestAReplicaOfAReplicaThatWasDetachedIsOneOfASource(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	source, replica := w.pair("demo")
	detach := w.operations()["detach by PATCH"]
	task, _, err := detach.call(w.as("demo"), w.project("demo"), replica)
	require.NoError(t, err)
	assert.Equal(t, source, w.get("demo", replica).GetReplicaOf().GetId(), "until it is done")
	w.complete(task.GetId(), &journalv1.FinishTaskRequest{Instance: &journalv1.InstancePatch{ReplicaOf: proto.String("")}})
	assert.Nil(t, w.get("demo", replica).GetReplicaOf())
	assert.Empty(t, w.get("demo", source).GetReplicas())
	_, _, err = detach.call(w.as("demo"), w.project("demo"), replica)
	require.ErrorContains(t, err, "Instance "+replica+" is not a replica.")
	assert.Equal(t, errs.Invalid, errs.From(err).Kind)
	w.replica("demo", replica, "next")
}
