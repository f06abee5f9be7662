package api_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

func TestAnInstanceFromItsOrderToItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	created := w.create("demo", order("first"))
	assert.Equal(t, "BUILD", created.GetInstance().GetStatus())
	assert.Empty(t, created.GetInstance().GetOperatingStatus())
	assert.Equal(t, "QUEUED", created.GetTask().GetStatus())
	id := created.GetInstance().GetId()

	claimed := w.claim(created.GetTask().GetId())
	assert.Equal(t, "10.11.19", claimed.GetCommand().GetCreateInstance().GetDatastoreVersion().GetVersion())
	assert.Equal(t, w.project("demo"), claimed.GetCommand().GetProjectId())
	assert.Equal(t, created.GetTask().GetRequestId(), claimed.GetCommand().GetRequestId())
	assert.Equal(t, int64(15000), claimed.GetLeaseMilliseconds())
	w.finish(claimed.GetRun(), &journalv1.FinishTaskRequest{TaskStatus: "NONE", Instance: built()})

	shown := w.get("demo", id)
	assert.Equal(t, "ACTIVE", shown.GetStatus())
	assert.Equal(t, "HEALTHY", shown.GetOperatingStatus())
	assert.Equal(t, []string{"127.1.0.1"}, shown.GetIp())
	assert.InDelta(t, 0.25, shown.GetVolume().GetUsed(), 0.001)
	assert.InDelta(t, 25.0, shown.GetVolume().GetUsedPercent(), 0.001)

	restarted, err := w.instances().RestartInstance(w.as("demo"),
		&instancev1.RestartInstanceRequest{ProjectId: w.project("demo"), InstanceId: id})
	require.NoError(t, err)
	assert.Equal(t, "REBOOT", w.get("demo", id).GetStatus(), "changed before the answer")
	_, err = w.instances().RestartInstance(w.as("demo"),
		&instancev1.RestartInstanceRequest{ProjectId: w.project("demo"), InstanceId: id})
	require.ErrorContains(t, err, "Instance "+id+
		" is not currently available for an action to be performed (task status was REBOOTING).")
	assert.True(t, errs.IsKind(err, errs.WrongState))
	again := w.claim(restarted.GetTask().GetId())
	assert.Equal(t, "mariadb", again.GetInstance().GetDatastoreVersion().GetManager())
	assert.Greater(t, again.GetRun().GetEpoch(), claimed.GetRun().GetEpoch())
	w.finish(again.GetRun(), &journalv1.FinishTaskRequest{TaskStatus: "NONE"})

	deleted, err := w.instances().DeleteInstance(w.as("demo"),
		&instancev1.DeleteInstanceRequest{ProjectId: w.project("demo"), InstanceId: id})
	require.NoError(t, err)
	assert.Equal(t, "SHUTDOWN", w.get("demo", id).GetStatus())
	joined, err := w.instances().DeleteInstance(w.as("demo"),
		&instancev1.DeleteInstanceRequest{ProjectId: w.project("demo"), InstanceId: id})
	require.NoError(t, err)
	assert.Equal(t, deleted.GetTask().GetId(), joined.GetTask().GetId(), "a second delete joins the first")
	w.finish(w.claim(deleted.GetTask().GetId()).GetRun(), &journalv1.FinishTaskRequest{TaskStatus: "NONE", Deleted: true})

	_, err = w.instances().GetInstance(w.as("demo"),
		&instancev1.GetInstanceRequest{ProjectId: w.project("demo"), InstanceId: id})
	require.ErrorContains(t, err, "Resource "+id+" cannot be found.")
	assert.True(t, errs.IsKind(err, errs.NotFound))
}

func TestWhatAnAdminSeesBeyondOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	created := w.create("demo", order("broken"))
	id := created.GetInstance().GetId()
	run := w.claim(created.GetTask().GetId()).GetRun()
	server := "server-1"
	w.finish(run, &journalv1.FinishTaskRequest{
		Outcome:    journalv1.TaskOutcome_TASK_OUTCOME_FAILED,
		Failure:    &taskv1.TaskError{Code: "NO_SPACE", Step: "create_volume", Message: "no space"},
		TaskStatus: "BUILDING_ERROR_VOLUME",
		Instance:   &journalv1.InstancePatch{ServerId: &server},
		Fault:      &journalv1.Fault{Message: "create_volume: no space", Details: "at /dev/loop3"},
	})
	own := w.get("demo", id)
	assert.Equal(t, "ERROR", own.GetStatus())
	assert.Equal(t, "create_volume: no space", own.GetFault().GetMessage())
	assert.IsType(t, &structpb.Value_NullValue{}, own.GetFault().GetDetails().GetKind())
	assert.Nil(t, own.TenantId)
	assert.Nil(t, own.ServerId)

	seen := w.get("admin", id)
	assert.Equal(t, "at /dev/loop3", seen.GetFault().GetDetails().GetStringValue())
	assert.Equal(t, w.project("demo"), seen.GetTenantId())
	assert.Equal(t, server, seen.GetServerId())
	assert.Equal(t, publicURL+"/v1.0/"+w.project("admin")+"/instances/"+id, seen.GetLinks()[0].GetHref())

	deleted, err := w.instances().DeleteInstance(w.as("admin"),
		&instancev1.DeleteInstanceRequest{ProjectId: w.project("admin"), InstanceId: id})
	require.NoError(t, err, "an admin finds instances of all projects")
	assert.Equal(t, w.project("demo"), w.claim(deleted.GetTask().GetId()).GetCommand().GetProjectId())
}

func TestListsAreOfTheCallersProjectInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	made := map[string]bool{}
	for _, name := range []string{"a1", "b2", "c3"} {
		made[w.create("demo", order(name)).GetInstance().GetId()] = true
	}
	first, err := w.instances().ListInstances(w.as("reader"),
		&instancev1.ListInstancesRequest{ProjectId: w.project("reader"), Limit: "2"})
	require.NoError(t, err)
	require.Len(t, first.GetInstances(), 2)
	require.NotEmpty(t, first.GetNextMarker())
	rest, err := w.instances().ListInstanceDetails(w.as("reader"),
		&instancev1.ListInstanceDetailsRequest{ProjectId: w.project("reader"), Limit: "2", Marker: first.GetNextMarker()})
	require.NoError(t, err)
	require.Len(t, rest.GetInstances(), 1)
	assert.Empty(t, rest.GetNextMarker())
	for _, instance := range append(first.GetInstances(), rest.GetInstances()...) {
		assert.True(t, made[instance.GetId()])
		delete(made, instance.GetId())
	}
	assert.Empty(t, made, "each was shown once")

	foreign, err := w.instances().ListInstances(w.as("admin"),
		&instancev1.ListInstancesRequest{ProjectId: w.project("admin")})
	require.NoError(t, err)
	assert.Empty(t, foreign.GetInstances(), "for admins as well")

	for _, limit := range []string{"-1", "x", "1.5"} {
		_, err = w.instances().ListInstances(w.as("demo"),
			&instancev1.ListInstancesRequest{ProjectId: w.project("demo"), Limit: limit})
		assert.True(t, errs.IsKind(err, errs.Invalid), limit)
	}
	for _, limit := range []string{"", "0", "1000"} {
		_, err = w.instances().ListInstances(w.as("demo"),
			&instancev1.ListInstancesRequest{ProjectId: w.project("demo"), Limit: limit})
		require.NoError(t, err, limit)
	}
}

func TestAnInstanceThatIsBuiltCannotBeRestartedOrDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	id := w.create("demo", order("young")).GetInstance().GetId()
	_, err := w.instances().RestartInstance(w.as("demo"),
		&instancev1.RestartInstanceRequest{ProjectId: w.project("demo"), InstanceId: id})
	require.ErrorContains(t, err, "Instance "+id+" is not ready.")
	assert.True(t, errs.IsKind(err, errs.WrongState))
	_, err = w.instances().DeleteInstance(w.as("demo"),
		&instancev1.DeleteInstanceRequest{ProjectId: w.project("demo"), InstanceId: id})
	require.ErrorContains(t, err, "Instance "+id+" is not ready. (Status is BUILD).")
	assert.True(t, errs.IsKind(err, errs.WrongState))
}
