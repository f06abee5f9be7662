package api_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

// managed are the ids that an admin's list shows, and the marker of its next page.
func (w *world) managed(request *mgmtv1.ListManagedInstancesRequest) (ids []string, next string) {
	w.t.Helper()
	request.ProjectId = w.project("admin")
	listed, err := w.management().ListManagedInstances(w.as("admin"), request)
	require.NoError(w.t, err)
	for _, instance := range listed.GetInstances() {
		ids = append(ids, instance.GetId())
	}
	return ids, listed.GetNextMarker()
}

// gone is an instance that was deleted.
func (w *world) gone(user, name string) string {
	w.t.Helper()
	id := w.old(user, name)
	deleted, err := w.instances().DeleteInstance(w.as(user),
		&instancev1.DeleteInstanceRequest{ProjectId: w.project(user), InstanceId: id})
	require.NoError(w.t, err)
	w.complete(deleted.GetTask().GetId(), &journalv1.FinishTaskRequest{Deleted: true})
	return id
}

func TestAnAdminListsTheInstancesOfAllProjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	own, foreign, gone := w.old("admin", "own"), w.old("demo", "foreign"), w.gone("demo", "gone")
	all, next := w.managed(&mgmtv1.ListManagedInstancesRequest{})
	assert.Equal(t, []string{gone, foreign, own}, all, "changed last, first; deleted ones too")
	assert.Empty(t, next)
	for given, want := range map[string][]string{
		"true": {gone}, "True": {gone}, "false": {foreign, own}, "False": {foreign, own}, "maybe": {foreign, own},
	} {
		ids, _ := w.managed(&mgmtv1.ListManagedInstancesRequest{Deleted: given})
		assert.Equal(t, want, ids, given)
	}
	ids, _ := w.managed(&mgmtv1.ListManagedInstancesRequest{FilterProjectId: w.project("demo"), IncludeClustered: "True"})
	assert.Equal(t, []string{gone, foreign}, ids)
	ids, _ = w.managed(&mgmtv1.ListManagedInstancesRequest{FilterProjectId: "nobody's"})
	assert.Empty(t, ids)

	var paged []string
	for marker := ""; ; {
		page, next := w.managed(&mgmtv1.ListManagedInstancesRequest{Limit: "1", Marker: marker})
		require.Len(t, page, 1)
		paged = append(paged, page...)
		if next == "" {
			break
		}
		assert.Equal(t, strconv.Itoa(len(paged)), next, "an offset")
		marker = next
	}
	assert.Equal(t, all, paged)
	ids, _ = w.managed(&mgmtv1.ListManagedInstancesRequest{Marker: "7"})
	assert.Empty(t, ids)
	for _, wrong := range [][2]string{{"x", ""}, {"-1", ""}, {"", own}, {"", "-1"}, {"", "1.5"}} {
		_, err := w.management().ListManagedInstances(w.as("admin"), &mgmtv1.ListManagedInstancesRequest{
			ProjectId: w.project("admin"), Limit: wrong[0], Marker: wrong[1],
		})
		assert.True(t, errs.IsKind(err, errs.Invalid), "%v: %v", wrong, err)
	}
}

func (w *world) manage(id, deleted string) (*instancev1.Instance, error) {
	shown, err := w.management().GetManagedInstance(w.as("admin"), &mgmtv1.GetManagedInstanceRequest{
		ProjectId: w.project("admin"), InstanceId: id, Deleted: deleted,
	})
	return shown.GetInstance(), err
}

func TestAnAdminSeesWhatStandsBehindAnInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	created := w.create("demo", order("whole"))
	id := created.GetInstance().GetId()
	young, err := w.manage(id, "")
	require.NoError(t, err)
	assert.IsType(t, &structpb.Value_NullValue{}, young.GetServer().GetKind())
	assert.Equal(t, "NEW", young.GetServiceStatus())
	assert.Equal(t, "The instance is building.", young.GetTaskDescription())
	assert.Nil(t, young.GetVolume().Id)

	patch := built()
	patch.ServerId, patch.VolumeId = proto.String("server-1"), proto.String("volume-1")
	w.complete(created.GetTask().GetId(), &journalv1.FinishTaskRequest{Instance: patch})
	shown, err := w.manage(id, "false")
	require.NoError(t, err)
	assert.Equal(t, w.project("demo"), shown.GetTenantId())
	assert.True(t, shown.GetEncryptedRpcMessaging())
	assert.Equal(t, "HEALTHY", shown.GetServiceStatus())
	assert.Equal(t, "No tasks for the instance.", shown.GetTaskDescription())
	assert.False(t, shown.GetDeleted())
	assert.IsType(t, &structpb.Value_NullValue{}, shown.GetDeletedAt().GetKind())
	assert.Equal(t, "healthy", shown.GetGuestStatus().GetStateDescription())
	server := shown.GetServer().GetStructValue().GetFields()
	assert.Equal(t, "server-1", server["id"].GetStringValue())
	assert.Equal(t, "ACTIVE", server["status"].GetStringValue())
	assert.Equal(t, w.project("demo"), server["tenant_id"].GetStringValue())
	address := server["addresses"].GetStructValue().GetFields()["private"].GetListValue().GetValues()[0]
	assert.Equal(t, "127.1.0.1", address.GetStructValue().GetFields()["addr"].GetStringValue())
	assert.Equal(t, "volume-1", shown.GetVolume().GetId())
	assert.Equal(t, "in-use", shown.GetVolume().GetStatus())
	assert.Equal(t, "server-1", shown.GetVolume().GetAttachments()[0].GetServerId())
	assert.InDelta(t, 0.25, shown.GetVolume().GetUsed(), 0.001)
	assert.InDelta(t, 1, shown.GetVolume().GetTotal(), 0.001)

	listed, err := w.management().ListManagedInstances(w.as("admin"),
		&mgmtv1.ListManagedInstancesRequest{ProjectId: w.project("admin")})
	require.NoError(t, err)
	assert.Nil(t, listed.GetInstances()[0].GetGuestStatus(), "for the one call alone")
	assert.NotContains(t, listed.GetInstances()[0].GetServer().GetStructValue().GetFields(), "addresses")
	assert.Nil(t, listed.GetInstances()[0].GetVolume().Used)
}

func TestADeletedInstanceIsShownToAdminsThatAskForIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	gone, living := w.gone("demo", "gone"), w.old("demo", "living")
	for _, deleted := range []string{"", "false"} {
		_, err := w.manage(gone, deleted)
		require.ErrorContains(t, err, "Resource "+gone+" cannot be found.")
	}
	shown, err := w.manage(gone, "True")
	require.NoError(t, err)
	assert.True(t, shown.GetDeleted())
	assert.Equal(t, "SHUTDOWN", shown.GetStatus())
	assert.NotEmpty(t, shown.GetDeletedAt().GetStringValue())
	_, err = w.manage(living, "true")
	require.NoError(t, err, "it means deleted ones too")
	for _, id := range []string{unknownID, "name"} {
		_, err = w.manage(id, "true")
		require.ErrorContains(t, err, "Resource "+id+" cannot be found.")
	}
}

// stopping asks for a stop, and answers when its task is there and once it has ended.
func (w *world) stopping(id string) (taskID string, ended <-chan error) {
	w.t.Helper()
	seen := w.watch("demo", &eventv1.WatchEventsRequest{InstanceId: id})
	ends := make(chan error, 1)
	ctx, request := w.as("admin"), &mgmtv1.StopInstanceRequest{ProjectId: w.project("admin"), InstanceId: id}
	go func() {
		_, err := w.management().StopInstance(ctx, request)
		ends <- err
	}()
	seen.until(func(e *eventv1.Event) bool {
		taskID = e.GetTask().GetId()
		return e.GetTask().GetAction() == "stop_instance" && e.GetTask().GetStatus() == "QUEUED"
	})
	return taskID, ends
}

func TestAStopAnswersWhenTheDatabaseStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	id := w.old("demo", "stopped")
	task, ended := w.stopping(id)
	assert.Equal(t, "REBOOT", w.get("demo", id).GetStatus())
	select {
	case err := <-ended:
		require.Fail(t, "answered before its task's end", "%v", err)
	default:
	}
	stopped := healthy(1 + reports.Add(1))
	stopped.ServiceStatus = "SHUTDOWN"
	w.complete(task, &journalv1.FinishTaskRequest{Instance: &journalv1.InstancePatch{GuestStatus: stopped}})
	require.NoError(t, <-ended)
	shown := w.get("demo", id)
	assert.Equal(t, "ACTIVE", shown.GetStatus())
	assert.Equal(t, "SHUTDOWN", shown.GetOperatingStatus())
}

func TestAStopFailsAsItsTaskFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	id := w.old("demo", "stubborn")
	task, ended := w.stopping(id)
	w.complete(task, &journalv1.FinishTaskRequest{
		Outcome: journalv1.TaskOutcome_TASK_OUTCOME_FAILED,
		Failure: &taskv1.TaskError{Code: "GUEST", Step: "stop_database", Message: "the database did not stop"},
	})
	err := <-ended
	require.ErrorContains(t, err, "An error occurred communicating with the guest: the database did not stop")
	assert.Equal(t, errs.Invalid, errs.From(err).Kind)

	task, ended = w.stopping(id)
	_, _, err = w.do("reset task status", id)
	require.NoError(t, err)
	err = <-ended
	require.ErrorContains(t, err, "Task "+task+" has ended as CANCELLED.")
	assert.Equal(t, errs.Invalid, errs.From(err).Kind)
}

func TestAStopWaitsForWhatWasAcceptedBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	id := w.old("demo", "busy")
	restart := w.mustDo("restart", id)
	task, ended := w.stopping(id)
	busy, err := w.journal().ClaimTask(t.Context(), &journalv1.ClaimTaskRequest{TaskId: task, Worker: "tm"})
	require.NoError(t, err)
	assert.Equal(t, journalv1.ClaimOutcome_CLAIM_OUTCOME_BUSY, busy.GetOutcome())
	w.complete(restart.GetId(), &journalv1.FinishTaskRequest{})
	w.complete(task, &journalv1.FinishTaskRequest{})
	require.NoError(t, <-ended)
}

func TestAStopIsJoinedUnderItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	id := w.old("demo", "once")
	_, ended := w.stopping(id)
	task := w.lastTask(id)
	go func() { w.complete(task, &journalv1.FinishTaskRequest{}) }()
	require.NoError(t, <-ended)
	request := &mgmtv1.StopInstanceRequest{ProjectId: w.project("admin"), InstanceId: id}
	seen := w.watch("demo", &eventv1.WatchEventsRequest{InstanceId: id})
	answers := make(chan *taskv1.Task, 2)
	ctx := w.as("admin", keyHeader, "stop")
	for range 2 {
		go func() {
			answer, err := w.management().StopInstance(ctx, request)
			assert.NoError(t, err)
			answers <- answer.GetTask()
		}()
	}
	seen.until(func(e *eventv1.Event) bool {
		task = e.GetTask().GetId()
		return e.GetTask().GetStatus() == "QUEUED"
	})
	w.complete(task, &journalv1.FinishTaskRequest{})
	one, two := <-answers, <-answers
	assert.Equal(t, one.GetId(), two.GetId())
	assert.Equal(t, "SUCCEEDED", one.GetStatus())
}

func TestAProviderOfOneHostDoesNotMigrate(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t).offering()
	id := w.old("demo", "settled")
	before := w.state()
	_, _, err := w.do("migrate", id)
	require.ErrorContains(t, err, "The provider 'local' has one host and cannot migrate servers.")
	assert.Equal(t, errs.Invalid, errs.From(err).Kind)
	assert.Equal(t, before, w.state())

	w.offering(generous)
	moved, err := w.management().MigrateInstance(w.as("admin"), &mgmtv1.MigrateInstanceRequest{
		ProjectId: w.project("admin"), InstanceId: id, Host: proto.String("compute-2"),
	})
	require.NoError(t, err)
	assert.Equal(t, "compute-2", w.claim(moved.GetTask().GetId()).GetCommand().GetMigrateInstance().GetHost())
}

func TestAServerIsMadeAnewFromItsOwnVersion(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering(generous)
	id := w.old("demo", "old")
	rebuild := func(image *structpb.Value) (*mgmtv1.RebuildInstanceResponse, error) {
		return w.management().RebuildInstance(w.as("admin"),
			&mgmtv1.RebuildInstanceRequest{ProjectId: w.project("admin"), InstanceId: id, ImageId: image})
	}
	before := w.state()
	for says, image := range map[string]*structpb.Value{
		"Validation error: rebuild 'image_id' is a required property":      nil,
		"Validation error: rebuild['image_id'] is not the id of an image":  structpb.NewNumberValue(1),
		"Validation error: rebuild['image_id'] is not the id of an image ": structpb.NewNullValue(),
		"Image " + unknownID + " cannot be found. The provider 'local' has no images: give the id of the instance's " +
			"datastore version, " + w.version("mariadb", "10.6") + ".": structpb.NewStringValue(unknownID),
	} {
		_, err := rebuild(image)
		require.ErrorContains(t, err, says[:len(says)-1])
		assert.Equal(t, errs.Invalid, errs.From(err).Kind)
	}
	_, err := rebuild(structpb.NewStringValue("debian"))
	require.ErrorContains(t, err, "is not the id of an image")
	assert.Equal(t, before, w.state())

	accepted, err := rebuild(structpb.NewStringValue(w.version("mariadb", "10.6")))
	require.NoError(t, err)
	ordered := w.claim(accepted.GetTask().GetId()).GetCommand().GetRebuildInstance()
	assert.Empty(t, ordered.GetImageId(), "a provider without images goes by the version")

	w.offering(generous, func(p *journalv1.RegisterProviderRequest) { p.Capabilities.Images = true })
	id = w.old("demo", "other")
	_, err = rebuild(structpb.NewStringValue(unknownID))
	require.NoError(t, err, "whether it is there is the cloud's to say")
}

func TestAResetEndsWhatRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering()
	for name, operating := range map[string]string{"reset status": "ERROR", "force delete": "ERROR", "reset task status": "HEALTHY"} {
		id := w.old("demo", "stuck")
		task := w.mustDo("restart", id)
		waiting := w.mustDo("reboot", id)
		run := w.claim(task.GetId()).GetRun()
		_, _, err := w.do(name, id)
		require.NoError(t, err, name)
		shown := w.get("demo", id)
		assert.Equal(t, "ACTIVE", shown.GetStatus(), name)
		assert.Equal(t, operating, shown.GetOperatingStatus(), name)
		for _, ended := range []string{task.GetId(), waiting.GetId()} {
			assert.Equal(t, "CANCELLED", w.task("demo", ended).GetStatus(), name)
		}
		_, err = w.journal().RenewLease(t.Context(), &journalv1.RenewLeaseRequest{Run: run})
		assert.True(t, errs.IsReason(err, "RUN_SUPERSEDED"), "%v", err)
		next := w.mustDo("DDM's hard restart", id)
		assert.Greater(t, w.claim(next.GetId()).GetRun().GetEpoch(), run.GetEpoch()+1)
	}
}
