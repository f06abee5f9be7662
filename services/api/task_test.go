package api_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

func (w *world) task(user, id string) *taskv1.Task {
	w.t.Helper()
	shown, err := w.tasks().GetTask(w.as(user), &taskv1.GetTaskRequest{ProjectId: w.project(user), TaskId: id})
	require.NoError(w.t, err)
	return shown.GetTask()
}

func (w *world) cancel(user, id string) error {
	w.t.Helper()
	_, err := w.tasks().CancelTask(w.as(user), &taskv1.CancelTaskRequest{ProjectId: w.project(user), TaskId: id})
	return err
}

func TestATaskTellsItsSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	created := w.create("demo", order("stepping"))
	id := created.GetTask().GetId()
	run := w.claim(id).GetRun()
	_, err := w.journal().RecordSteps(t.Context(), &journalv1.RecordStepsRequest{
		Run: run, Progress: 40,
		Steps: []*journalv1.StepRecord{
			{Name: "create_volume", Status: journalv1.StepStatus_STEP_STATUS_SUCCEEDED, Attempt: 1},
			{Name: "create_server", Status: journalv1.StepStatus_STEP_STATUS_RUNNING, Attempt: 2, Message: "again"},
		},
	})
	require.NoError(t, err)
	task := w.task("reader", id)
	assert.Equal(t, "RUNNING", task.GetStatus())
	assert.Equal(t, int32(40), task.GetProgress())
	assert.Equal(t, "create_instance", task.GetAction())
	assert.Equal(t, "stepping", task.GetInstanceName())
	require.Len(t, task.GetSteps(), 2)
	assert.Equal(t, "SUCCEEDED", task.GetSteps()[0].GetStatus())
	assert.Equal(t, "again", task.GetSteps()[1].GetMessage())
	assert.Equal(t, int32(2), task.GetSteps()[1].GetAttempt())

	w.finish(run, &journalv1.FinishTaskRequest{
		Outcome: journalv1.TaskOutcome_TASK_OUTCOME_FAILED, TaskStatus: "BUILDING_ERROR_SERVER",
		Failure: &taskv1.TaskError{Code: "NO_HOST", Step: "create_server", Message: "no host"},
	})
	failed := w.task("reader", id)
	assert.Equal(t, "FAILED", failed.GetStatus())
	assert.Equal(t, "NO_HOST", failed.GetError().GetCode())
	assert.NotEmpty(t, failed.GetFinished())
	_, err = w.journal().RenewLease(t.Context(), &journalv1.RenewLeaseRequest{Run: run})
	assert.True(t, errs.IsReason(err, "RUN_SUPERSEDED"))
}

func TestTasksAreListedByFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	one, two := w.active("demo", "one"), w.active("demo", "two")
	_, err := w.instances().RestartInstance(w.as("demo"),
		&instancev1.RestartInstanceRequest{ProjectId: w.project("demo"), InstanceId: one.GetId()})
	require.NoError(t, err)
	list := func(request *taskv1.ListTasksRequest) []*taskv1.Task {
		t.Helper()
		request.ProjectId = w.project("reader")
		listed, err := w.tasks().ListTasks(w.as("reader"), request)
		require.NoError(t, err)
		return listed.GetTasks()
	}
	all := list(&taskv1.ListTasksRequest{})
	require.Len(t, all, 3)
	assert.Equal(t, "restart_instance", all[0].GetAction(), "newest first")
	assert.Len(t, list(&taskv1.ListTasksRequest{InstanceId: two.GetId()}), 1)
	assert.Len(t, list(&taskv1.ListTasksRequest{Status: "queued"}), 1)
	assert.Len(t, list(&taskv1.ListTasksRequest{Status: "SUCCEEDED", Action: "create_instance"}), 2)
	assert.Empty(t, list(&taskv1.ListTasksRequest{Status: "FAILED"}))

	page, err := w.tasks().ListTasks(w.as("demo"), &taskv1.ListTasksRequest{ProjectId: w.project("demo"), Limit: "2"})
	require.NoError(t, err)
	require.Len(t, page.GetTasks(), 2)
	rest, err := w.tasks().ListTasks(w.as("demo"), &taskv1.ListTasksRequest{
		ProjectId: w.project("demo"), Limit: "2", Marker: page.GetNextMarker(),
	})
	require.NoError(t, err)
	require.Len(t, rest.GetTasks(), 1)
	assert.Empty(t, rest.GetNextMarker())

	for name, wrong := range map[string]*taskv1.ListTasksRequest{
		"status": {Status: "DONE"}, "action": {Action: "explode"}, "limit": {Limit: "many"}, "marker": {Marker: "x"},
	} {
		wrong.ProjectId = w.project("demo")
		_, err := w.tasks().ListTasks(w.as("demo"), wrong)
		assert.True(t, errs.IsKind(err, errs.Invalid), "%s: %v", name, err)
	}
}

func TestAQueuedTaskIsCancelledAtOnceAndARunningOneIsAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	queued := w.create("demo", order("queued")).GetTask().GetId()
	_, err := w.tasks().CancelTask(w.as("demo", dryRunHeader, "true"),
		&taskv1.CancelTaskRequest{ProjectId: w.project("demo"), TaskId: queued})
	require.ErrorContains(t, err, "has no dry run")
	require.NoError(t, w.cancel("demo", queued))
	assert.Equal(t, "CANCELLED", w.task("demo", queued).GetStatus())
	err = w.cancel("demo", queued)
	assert.True(t, errs.IsKind(err, errs.WrongState))
	require.ErrorContains(t, err, "it has ended as CANCELLED")

	running := w.create("demo", order("running")).GetTask().GetId()
	run := w.claim(running).GetRun()
	record := func(cancellable bool) {
		t.Helper()
		_, err := w.journal().RecordSteps(t.Context(), &journalv1.RecordStepsRequest{
			Run: run, Steps: []*journalv1.StepRecord{{
				Name: "format", Status: journalv1.StepStatus_STEP_STATUS_RUNNING, Attempt: 1, Cancellable: cancellable,
			}},
		})
		require.NoError(t, err)
	}
	record(false)
	err = w.cancel("demo", running)
	assert.True(t, errs.IsKind(err, errs.WrongState))
	require.ErrorContains(t, err, "cannot be cancelled during its step 'format'")
	record(true)
	require.NoError(t, w.cancel("demo", running))
	renewed, err := w.journal().RenewLease(t.Context(), &journalv1.RenewLeaseRequest{Run: run})
	require.NoError(t, err)
	assert.Equal(t, journalv1.StopMode_STOP_MODE_UNDO, renewed.GetStop())
}

func TestADeletionMakesTheRunningTaskEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	id := w.active("demo", "doomed").GetId()
	restarted, err := w.instances().RestartInstance(w.as("demo"),
		&instancev1.RestartInstanceRequest{ProjectId: w.project("demo"), InstanceId: id})
	require.NoError(t, err)
	run := w.claim(restarted.GetTask().GetId()).GetRun()
	deleted, err := w.instances().DeleteInstance(w.as("demo"),
		&instancev1.DeleteInstanceRequest{ProjectId: w.project("demo"), InstanceId: id})
	require.NoError(t, err)
	busy, err := w.journal().ClaimTask(t.Context(),
		&journalv1.ClaimTaskRequest{TaskId: deleted.GetTask().GetId(), Worker: "other"})
	require.NoError(t, err)
	assert.Equal(t, journalv1.ClaimOutcome_CLAIM_OUTCOME_BUSY, busy.GetOutcome())
	renewed, err := w.journal().RenewLease(t.Context(), &journalv1.RenewLeaseRequest{Run: run})
	require.NoError(t, err)
	assert.Equal(t, journalv1.StopMode_STOP_MODE_ABANDON, renewed.GetStop())
	w.finish(run, &journalv1.FinishTaskRequest{Outcome: journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED, TaskStatus: "NONE"})
	assert.Equal(t, "SHUTDOWN", w.get("demo", id).GetStatus(), "still being deleted")
	w.claim(deleted.GetTask().GetId())
}
