package storetest

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const day = 24 * time.Hour

var deleteTests = map[string]func(*suite){
	"ASecondDeletionJoinsTheFirst": func(s *suite) {
		instance := s.running(project)
		first := s.accept(acceptance(action.DeleteInstance, instance.ID))
		s.outbox()
		second := s.accept(acceptance(action.DeleteInstance, instance.ID))
		assert.True(s, second.Repeated)
		assert.Equal(s, first.Task.ID, second.Task.ID)
		assert.Empty(s, s.outbox().subjects)
	},
	"TheRunningTaskIsAskedToEndAndItsEndRingsTheDeletion": func(s *suite) {
		instance := s.running(project)
		restart := s.act(action.RestartInstance, instance.ID)
		run := s.begin(restart.ID)
		s.outbox()
		deletion := s.act(action.DeleteInstance, instance.ID)

		out := s.outbox()
		assert.Empty(s, out.rings)
		assert.Equal(s, []string{"SHUTDOWN"}, out.statuses())
		renewed, err := s.RenewLease(s.ctx, run, lease)
		require.NoError(s, err)
		assert.Equal(s, journalv1.StopMode_STOP_MODE_ABANDON, renewed.Stop)
		assert.Equal(s, journalv1.ClaimOutcome_CLAIM_OUTCOME_BUSY, s.claim(deletion.ID, "worker").Outcome)

		s.finish(store.Finish{Run: run, State: store.TaskCancelled, TaskStatus: status.TaskNone})

		assert.Equal(s, []string{deletion.ID + "/1"}, s.outbox().rings)
		assert.Equal(s, status.TaskDeleting, s.instance(instance.ID).TaskStatus)
		s.begin(deletion.ID)
	},
	"AWaitingTaskThatNeverBeganIsCancelledAtOnce": func(s *suite) {
		instance := s.running(project)
		restart := s.act(action.RestartInstance, instance.ID)
		s.outbox()
		deletion := s.act(action.DeleteInstance, instance.ID)

		cancelled := s.task(restart.ID)
		assert.Equal(s, store.TaskCancelled, cancelled.State)
		assert.NotNil(s, cancelled.Finished)
		out := s.outbox()
		assert.Equal(s, []string{deletion.ID + "/1"}, out.rings)
		assert.Equal(s, []string{"restart_instance CANCELLED", "delete_instance QUEUED"}, out.tasks)
		assert.Equal(s, journalv1.ClaimOutcome_CLAIM_OUTCOME_GONE, s.claim(restart.ID, "worker").Outcome)
	},
	"TheEndTakesTheRowOutOfSightAndReturnsItsQuotaOnce": func(s *suite) {
		kept := s.running(project)
		instance := s.running(project)
		deletion := s.act(action.DeleteInstance, instance.ID)
		run := s.begin(deletion.ID)
		s.outbox()
		end := store.Finish{Run: run, State: store.TaskSucceeded, Deleted: true}
		s.finish(end)
		require.ErrorIs(s, s.end(end), store.ErrSuperseded)

		_, err := s.Instance(s.ctx, "", instance.ID)
		require.ErrorIs(s, err, store.ErrNotFound)
		used := s.quota(project)
		assert.Equal(s, map[store.Resource]int{
			store.ResourceInstances: 1, store.ResourceRAM: kept.RAM, store.ResourceVolumes: kept.VolumeSize,
		}, used)
		out := s.outbox()
		require.Len(s, out.instances, 1)
		assert.True(s, out.instances[0].GetDeleted())
		list, _, err := s.ListInstances(s.ctx, project, store.Page{Limit: 10})
		require.NoError(s, err)
		assert.Len(s, list, 1)
		_, err = s.Accept(s.ctx, acceptance(action.DeleteInstance, instance.ID))
		require.ErrorIs(s, err, store.ErrNotFound)
	},
	"AFailedDeletionLeavesAnErrorAndCanBeAskedAgain": func(s *suite) {
		instance := s.running(project)
		deletion := s.act(action.DeleteInstance, instance.ID)
		s.finish(store.Finish{
			Run: s.begin(deletion.ID), State: store.TaskFailed, TaskStatus: status.TaskDeletingError,
			Failure: &store.TaskError{Code: "NO", Step: "delete_server", Message: "it would not"},
			Fault:   &store.Fault{Message: "it would not"},
		})
		assert.Equal(s, "it would not", s.instance(instance.ID).Fault.Message)
		again := s.accept(acceptance(action.DeleteInstance, instance.ID))
		assert.False(s, again.Repeated)
		assert.Equal(s, status.TaskDeleting, again.Instance.TaskStatus)
	},
}
