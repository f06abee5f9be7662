package storetest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const (
	pending = journalv1.StepStatus_STEP_STATUS_PENDING
	running = journalv1.StepStatus_STEP_STATUS_RUNNING
	done    = journalv1.StepStatus_STEP_STATUS_SUCCEEDED
	undone  = journalv1.StepStatus_STEP_STATUS_UNDONE
)

var journalTests = map[string]func(*suite){
	"StepsAreWrittenOverThoseOfTheirName": func(s *suite) {
		instance := s.running(project)
		run := s.begin(s.act(action.RestartInstance, instance.ID).ID)
		began := s.clock.Now()
		_, err := s.RecordSteps(s.ctx, store.Record{Run: run, Progress: 10, Steps: []store.Step{
			{Name: "check_guest", Status: running, Attempt: 1, Cancellable: true},
		}})
		require.NoError(s, err)
		s.clock.advance(time.Second)
		task, err := s.RecordSteps(s.ctx, store.Record{Run: run, Progress: 40, Steps: []store.Step{
			{Name: "check_guest", Status: done, Attempt: 1, Message: "fine"},
			{Name: "restart_database", Status: running, Attempt: 1},
		}})
		require.NoError(s, err)
		ended := s.clock.Now()

		assert.Equal(s, task, s.task(run.TaskID))
		assert.Equal(s, 40, task.Progress)
		assert.Equal(s, []store.Step{
			{Name: "check_guest", Status: done, Attempt: 1, Message: "fine", Started: &began, Finished: &ended},
			{Name: "restart_database", Status: running, Attempt: 1, Started: &ended},
		}, task.Steps)
		s.clock.advance(time.Second)
		task, err = s.RecordSteps(s.ctx, store.Record{
			Run: run, Failure: &store.TaskError{Code: "C", Step: "restart_database", Message: "m"},
			Steps: []store.Step{{Name: "check_guest", Status: undone, Attempt: 1}},
		})
		require.NoError(s, err)
		assert.Equal(s, &store.TaskError{Code: "C", Step: "restart_database", Message: "m"}, task.Error)
		assert.Equal(s, s.clock.Now(), *task.Steps[0].Finished)
	},
	"ALaterRunFindsWhatFormerOnesRecorded": func(s *suite) {
		instance := s.running(project)
		task := s.act(action.RestartInstance, instance.ID)
		run := s.begin(task.ID)
		recorded, err := s.RecordSteps(s.ctx, store.Record{Run: run, Steps: []store.Step{{Name: "check_guest", Status: done}}})
		require.NoError(s, err)
		s.clock.advance(lease)
		assert.Equal(s, recorded.Steps, s.claim(task.ID, "another").Task.Steps)
	},
	"APatchChangesTheFieldsThatAreSet": func(s *suite) {
		created := s.accept(creation(project))
		run := s.begin(created.Task.ID)
		s.outbox()
		patch := &journalv1.InstancePatch{ServerId: proto.String("server"), ServerStatus: proto.String("BUILD")}
		_, err := s.RecordSteps(s.ctx, store.Record{Run: run, Patch: patch})
		require.NoError(s, err)
		_, err = s.RecordSteps(s.ctx, store.Record{Run: run, Patch: &journalv1.InstancePatch{
			GuestAddress: proto.String("a:1"), GuestStatus: report(1, 1, "RUNNING"),
			Addresses: &journalv1.InstanceAddresses{Addresses: []*journalv1.InstanceAddress{{Address: "a", Type: "private"}}},
		}})
		require.NoError(s, err)
		stored := s.instance(created.Instance.ID)
		assert.Equal(s, "server", stored.ServerID)
		assert.Equal(s, status.ServerBuild, stored.ServerStatus)
		assert.Equal(s, "a:1", stored.GuestAddress)
		assert.Equal(s, status.ServiceRunning, stored.ServiceStatus)
		assert.Equal(s, []store.Address{{Address: "a", Type: "private"}}, stored.Addresses)
		assert.Empty(s, s.outbox().instances, "BUILD all the while")
	},
	"AnOldEpochWritesNothing": func(s *suite) {
		instance := s.running(project)
		task := s.act(action.RestartInstance, instance.ID)
		old := s.begin(task.ID)
		s.clock.advance(lease)
		require.Equal(s, claimed, s.claim(task.ID, "another").Outcome)
		s.outbox()
		_, err := s.RecordSteps(s.ctx, store.Record{Run: old, Steps: []store.Step{{Name: "x", Status: done}}})
		require.ErrorIs(s, err, store.ErrSuperseded)
		_, err = s.RenewLease(s.ctx, old, lease)
		require.ErrorIs(s, err, store.ErrSuperseded)
		_, err = s.CheckRun(s.ctx, old)
		require.ErrorIs(s, err, store.ErrSuperseded)
		_, err = s.Secrets(s.ctx, old)
		require.ErrorIs(s, err, store.ErrSuperseded)
		require.ErrorIs(s, s.end(store.Finish{Run: old, State: store.TaskSucceeded}), store.ErrSuperseded)
		assert.Empty(s, s.task(task.ID).Steps)
		assert.Empty(s, s.outbox().subjects)
	},
	"AnUnknownTaskHasNoRun": func(s *suite) {
		_, err := s.RecordSteps(s.ctx, store.Record{Run: store.Run{TaskID: "none", Epoch: 1}})
		require.ErrorIs(s, err, store.ErrSuperseded)
	},
	"ARenewalProlongsTheLease": func(s *suite) {
		instance := s.running(project)
		run := s.begin(s.act(action.RestartInstance, instance.ID).ID)
		s.outbox()
		s.clock.advance(lease - time.Second)
		_, err := s.RenewLease(s.ctx, run, lease)
		require.NoError(s, err)
		s.clock.advance(lease - time.Second)
		assert.Equal(s, busy, s.claim(run.TaskID, "another").Outcome)
		assert.Empty(s, s.outbox().subjects)
	},
	"TheLastStepIsRecordedWithTheEnd": func(s *suite) {
		created := s.accept(creation(project))
		run := s.begin(created.Task.ID)
		s.outbox()
		last := store.Record{
			Run: run, Progress: 100, Patch: &journalv1.InstancePatch{
				GuestStatus: report(1, 1, "HEALTHY"), ServerId: proto.String("server"), ServerStatus: proto.String("ACTIVE"),
			},
			Steps: []store.Step{{Name: "await_healthy", Status: done, Attempt: 1}},
		}
		s.finish(store.Finish{Run: run, Last: &last, State: store.TaskSucceeded, Patch: &journalv1.InstancePatch{VolumeId: proto.String("volume")}})
		task, instance := s.task(run.TaskID), s.instance(created.Instance.ID)
		assert.Equal(s, store.TaskSucceeded, task.State)
		require.Len(s, task.Steps, 1)
		assert.Equal(s, done, task.Steps[0].Status)
		assert.Equal(s, s.clock.Now(), *task.Steps[0].Finished)
		assert.Equal(s, []string{"server", "volume"}, []string{instance.ServerID, instance.VolumeID})
		out := s.outbox()
		assert.Equal(s, []string{"create_instance SUCCEEDED"}, out.tasks)
		assert.Equal(s, []string{"ACTIVE HEALTHY"}, out.statuses())
	},
	"ATaskThatIsAskedToStopDoesNotEndWithItsLastStep": func(s *suite) {
		created := s.accept(creation(project))
		run := s.begin(created.Task.ID)
		_, err := s.CancelTask(s.ctx, project, run.TaskID, nil, func(store.Task) error { return nil })
		require.NoError(s, err)
		task, err := s.FinishTask(s.ctx, store.Finish{
			Run: run, State: store.TaskSucceeded, TaskStatus: status.TaskNone,
			Last: &store.Record{
				Run: run, Progress: 100, Patch: &journalv1.InstancePatch{ServerId: proto.String("server")},
				Steps: []store.Step{{Name: "create_server", Status: done, Attempt: 1}},
			},
		})
		require.NoError(s, err)
		assert.Equal(s, task, s.task(run.TaskID))
		assert.Equal(s, store.TaskRunning, task.State)
		assert.Equal(s, journalv1.StopMode_STOP_MODE_UNDO, task.Stop)
		assert.Equal(s, done, task.Steps[0].Status)
		instance := s.instance(created.Instance.ID)
		assert.Equal(s, "server", instance.ServerID)
		assert.Equal(s, status.TaskBuilding, instance.TaskStatus)
		s.finish(store.Finish{Run: run, State: store.TaskCancelled})
	},
	"TheEndSettlesTheInstance": func(s *suite) {
		instance := s.running(project)
		run := s.begin(s.act(action.RestartInstance, instance.ID).ID)
		s.outbox()
		s.finish(store.Finish{Run: run, State: store.TaskSucceeded})
		task := s.task(run.TaskID)
		assert.Equal(s, 100, task.Progress)
		assert.Equal(s, store.TaskSucceeded, task.State)
		assert.Equal(s, s.clock.Now(), *task.Finished)
		assert.Nil(s, task.LeaseExpires)
		out := s.outbox()
		assert.Equal(s, []string{"restart_instance SUCCEEDED"}, out.tasks)
		assert.Equal(s, []string{"ACTIVE HEALTHY"}, out.statuses())
	},
	"AFaultStaysUntilATaskSucceeds": func(s *suite) {
		instance := s.running(project)
		run := s.begin(s.act(action.RestartInstance, instance.ID).ID)
		s.outbox()
		s.finish(store.Finish{
			Run: run, State: store.TaskFailed, Failure: &store.TaskError{Code: "C", Step: "s", Message: "m"},
			Fault: &store.Fault{Message: "step s: m", Details: "for admins"},
		})
		fault := s.instance(instance.ID).Fault
		assert.Equal(s, &store.Fault{Message: "step s: m", Details: "for admins", Created: s.clock.Now()}, fault)
		told := s.outbox().instances
		require.Len(s, told, 1)
		assert.Equal(s, "step s: m", told[0].GetFault().GetMessage())
		assert.Empty(s, told[0].GetFault().GetDetails().GetStringValue())
		s.finish(store.Finish{Run: s.begin(s.act(action.RestartInstance, instance.ID).ID), State: store.TaskSucceeded})
		assert.Nil(s, s.instance(instance.ID).Fault)
	},
	"SecretsLastUntilTheyAreDropped": func(s *suite) {
		created := s.accept(creation(project))
		run := s.begin(created.Task.ID)
		sealed, err := s.Secrets(s.ctx, run)
		require.NoError(s, err)
		assert.Equal(s, []byte("sealed"), sealed)
		_, err = s.RecordSteps(s.ctx, store.Record{Run: run, DropSecrets: true})
		require.NoError(s, err)
		sealed, err = s.Secrets(s.ctx, run)
		require.NoError(s, err)
		assert.Empty(s, sealed)
	},
	"TheRunIsChecked": func(s *suite) {
		instance := s.running(project)
		run := s.begin(s.act(action.RestartInstance, instance.ID).ID)
		task, err := s.CheckRun(s.ctx, run)
		require.NoError(s, err)
		assert.Equal(s, run.TaskID, task.ID)
		s.finish(store.Finish{Run: run, State: store.TaskSucceeded})
		_, err = s.CheckRun(s.ctx, run)
		require.ErrorIs(s, err, store.ErrSuperseded)
	},
}

var cancelTests = map[string]func(*suite){
	"ARunningTaskIsAskedToUndo": func(s *suite) {
		instance := s.running(project)
		run := s.begin(s.act(action.RestartInstance, instance.ID).ID)
		task, err := s.CancelTask(s.ctx, project, run.TaskID, nil, allow)
		require.NoError(s, err)
		assert.Equal(s, store.TaskRunning, task.State)
		assert.Equal(s, journalv1.StopMode_STOP_MODE_UNDO, task.Stop)
		recorded, err := s.RecordSteps(s.ctx, store.Record{Run: run})
		require.NoError(s, err)
		assert.Equal(s, journalv1.StopMode_STOP_MODE_UNDO, recorded.Stop)
	},
	"AQueuedTaskEndsAtOnce": func(s *suite) {
		instance := s.running(project)
		restart := s.act(action.RestartInstance, instance.ID)
		s.outbox()
		task, err := s.CancelTask(s.ctx, project, restart.ID, nil, allow)
		require.NoError(s, err)
		assert.Equal(s, store.TaskCancelled, task.State)
		out := s.outbox()
		assert.Equal(s, []string{"restart_instance CANCELLED"}, out.tasks)
		assert.Equal(s, []string{"ACTIVE HEALTHY"}, out.statuses())
	},
	"ACancelledCreationStaysUntilItIsDeleted": func(s *suite) {
		created := s.accept(creation(project))
		_, err := s.CancelTask(s.ctx, project, created.Task.ID, nil, allow)
		require.NoError(s, err)
		instance := s.instance(created.Instance.ID)
		assert.Equal(s, "ERROR", status.Shown(instance.Inputs(s.clock.Now())))
		require.NotNil(s, instance.Fault)
		assert.Equal(s, 1, s.quota(project)[store.ResourceInstances])
		assert.Equal(s, gone, s.claim(created.Task.ID, "worker").Outcome)
	},
	"ACancelledDeletionLeavesTheErrorThatWasThere": func(s *suite) {
		created := s.accept(creation(project))
		s.finish(store.Finish{Run: s.begin(created.Task.ID), State: store.TaskFailed, TaskStatus: status.TaskBuildingErrorPort})
		deletion := s.act(action.DeleteInstance, created.Instance.ID)
		_, err := s.CancelTask(s.ctx, project, deletion.ID, nil, allow)
		require.NoError(s, err)
		assert.Equal(s, status.TaskBuildingErrorPort, s.instance(created.Instance.ID).TaskStatus)
	},
	"ItsEndRingsTheNext": func(s *suite) {
		instance := s.running(project)
		first := s.act(action.RestartInstance, instance.ID)
		second := s.act(action.RestartInstance, instance.ID)
		s.outbox()
		_, err := s.CancelTask(s.ctx, project, first.ID, nil, allow)
		require.NoError(s, err)
		assert.Equal(s, []string{second.ID + "/1"}, s.outbox().rings)
		assert.Equal(s, status.TaskRebooting, s.instance(instance.ID).TaskStatus)
	},
	"TheCallerMayRefuse": func(s *suite) {
		instance := s.running(project)
		restart := s.act(action.RestartInstance, instance.ID)
		refused := errRefused("no")
		_, err := s.CancelTask(s.ctx, project, restart.ID, nil, func(task store.Task) error {
			assert.Equal(s, restart, task)
			return refused
		})
		require.ErrorIs(s, err, refused)
		assert.Equal(s, restart, s.task(restart.ID))
	},
	"AForeignTaskIsNotFound": func(s *suite) {
		instance := s.running(project)
		restart := s.act(action.RestartInstance, instance.ID)
		_, err := s.CancelTask(s.ctx, "other", restart.ID, nil, allow)
		require.ErrorIs(s, err, store.ErrNotFound)
		_, err = s.CancelTask(s.ctx, "", "none", nil, allow)
		require.ErrorIs(s, err, store.ErrNotFound)
	},
}

func allow(store.Task) error { return nil }

var ringTests = map[string]func(*suite){
	"AQueuedTaskIsRungAgainUnderANewNumber": func(s *suite) {
		task := s.accept(creation(project)).Task
		s.outbox()
		s.rings(5*time.Second, 0)
		s.clock.advance(5 * time.Second)
		s.rings(5*time.Second, 1)
		assert.Equal(s, []string{task.ID + "/2"}, s.outbox().rings)
		s.rings(5*time.Second, 0)
		s.rings(0, 1)
	},
	"ARunningTaskIsRungWhenItsLeaseRanOut": func(s *suite) {
		task := s.accept(creation(project)).Task
		s.begin(task.ID)
		s.outbox()
		s.clock.advance(lease - time.Second)
		s.rings(time.Second, 0)
		s.clock.advance(time.Second)
		s.rings(time.Second, 1)
		assert.Equal(s, []string{task.ID + "/2"}, s.outbox().rings)
	},
	"ATaskThatMustWaitIsNotRung": func(s *suite) {
		instance := s.running(project)
		first := s.act(action.RestartInstance, instance.ID)
		s.act(action.RestartInstance, instance.ID)
		s.outbox()
		s.rings(0, 1)
		assert.Equal(s, []string{first.ID + "/2"}, s.outbox().rings)
	},
	"AnEndedTaskIsNotRung": func(s *suite) {
		s.running(project)
		s.clock.advance(time.Hour)
		s.rings(0, 0)
	},
	"ADeadWorkersTasksAreRungWithoutWaiting": func(s *suite) {
		task := s.accept(creation(project)).Task
		s.begin(task.ID)
		s.outbox()
		n, err := s.ReleaseWorker(s.ctx, "somebody else")
		require.NoError(s, err)
		assert.Zero(s, n)
		n, err = s.ReleaseWorker(s.ctx, "worker")
		require.NoError(s, err)
		assert.Equal(s, 1, n)
		assert.Equal(s, []string{task.ID + "/2"}, s.outbox().rings)
		assert.Equal(s, claimed, s.claim(task.ID, "another").Outcome)
	},
}

func (s *suite) rings(age time.Duration, want int) {
	s.Helper()
	n, err := s.RingDue(s.ctx, age)
	require.NoError(s, err)
	assert.Equal(s, want, n)
}
