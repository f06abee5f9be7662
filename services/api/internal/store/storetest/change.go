package storetest

import (
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

func change(instanceID string) store.Change {
	return store.Change{ProjectID: project, InstanceID: instanceID}
}

var renameTests = map[string]func(*suite){
	"ANameIsChangedAtOnceAndTold": func(s *suite) {
		instance := s.running(project)
		s.outbox()
		renamed, err := s.Rename(s.ctx, change(instance.ID), "another")
		require.NoError(s, err)
		assert.Equal(s, renamed, s.instance(instance.ID))
		out := s.outbox()
		require.Len(s, out.instances, 1)
		assert.Equal(s, "another", out.instances[0].GetName())
	},
	"ANameIsChangedAlongWithAnAction": func(s *suite) {
		instance := s.running(project)
		a := acceptance(action.DetachReplica, instance.ID)
		a.Rename = "another"
		accepted := s.accept(a)
		assert.Equal(s, "another", accepted.Task.InstanceName)
		assert.Equal(s, "another", s.instance(instance.ID).Name)
	},
	"AForeignOrMissingInstanceIsNotFound": func(s *suite) {
		instance := s.running("other")
		for _, id := range []string{instance.ID, uuid.NewString()} {
			_, err := s.Rename(s.ctx, change(id), "x")
			require.ErrorIs(s, err, store.ErrNotFound)
			_, err = s.ResetStatus(s.ctx, change(id), true)
			require.ErrorIs(s, err, store.ErrNotFound)
		}
		assert.Equal(s, instance, s.instance(instance.ID))
	},
	"ARefusalChangesNothing": func(s *suite) {
		instance := s.running(project)
		task := s.act(action.RestartInstance, instance.ID)
		before := s.instance(instance.ID)
		refused := change(instance.ID)
		refused.Admit = func(scene store.Scene) error {
			assert.Equal(s, before, scene.Instance)
			assert.Equal(s, []store.Task{task}, scene.Unfinished)
			return errRefused("no")
		}
		_, err := s.Rename(s.ctx, refused, "x")
		require.ErrorIs(s, err, errRefused("no"))
		_, err = s.ResetStatus(s.ctx, refused, true)
		require.ErrorIs(s, err, errRefused("no"))
		assert.Equal(s, before, s.instance(instance.ID))
	},
	"ARepeatUnderTheKeyChangesNothingMore": func(s *suite) {
		instance := s.running(project)
		keyed := change(instance.ID)
		keyed.Idempotency = key("print")
		_, err := s.Rename(s.ctx, keyed, "first")
		require.NoError(s, err)
		_, err = s.Rename(s.ctx, change(instance.ID), "second")
		require.NoError(s, err)
		_, err = s.Rename(s.ctx, keyed, "first")
		require.NoError(s, err)
		assert.Equal(s, "second", s.instance(instance.ID).Name)
		keyed.Idempotency = key("other")
		_, err = s.Rename(s.ctx, keyed, "third")
		require.ErrorIs(s, err, store.ErrIdempotencyMismatch)
	},
}

var resetTests = map[string]func(*suite){
	"ItEndsEveryTaskAtOnce": func(s *suite) {
		instance := s.running(project)
		running := s.act(action.RestartInstance, instance.ID)
		waiting := s.act(action.RebootInstance, instance.ID)
		run := s.begin(running.ID)
		s.outbox()
		reset, err := s.ResetStatus(s.ctx, change(instance.ID), true)
		require.NoError(s, err)
		assert.Equal(s, reset, s.instance(instance.ID))
		assert.Equal(s, status.TaskNone, reset.TaskStatus)
		assert.Equal(s, status.ServiceUnknown, reset.ServiceStatus)
		assert.Equal(s, run.Epoch+1, reset.Epoch)
		for _, task := range []store.Task{running, waiting} {
			assert.Equal(s, store.TaskCancelled, s.task(task.ID).State)
		}
		out := s.outbox()
		assert.Equal(s, []string{"restart_instance CANCELLED", "reboot_instance CANCELLED"}, out.tasks)
		assert.Equal(s, []string{"ACTIVE ERROR"}, out.statuses())
		_, err = s.RecordSteps(s.ctx, store.Record{Run: run})
		require.ErrorIs(s, err, store.ErrSuperseded)
		assert.Greater(s, s.begin(s.act(action.RestartInstance, instance.ID).ID).Epoch, reset.Epoch)
	},
	"ItLeavesTheServiceStatusUnlessAsked": func(s *suite) {
		instance := s.running(project)
		s.act(action.RestartInstance, instance.ID)
		reset, err := s.ResetStatus(s.ctx, change(instance.ID), false)
		require.NoError(s, err)
		assert.Equal(s, status.ServiceHealthy, reset.ServiceStatus)
	},
	"TheNextReportIsBelievedAgain": func(s *suite) {
		instance := s.running(project)
		_, err := s.ResetStatus(s.ctx, change(instance.ID), true)
		require.NoError(s, err)
		s.report(instance.ID, healthy(1, 2))
		assert.Equal(s, status.ServiceHealthy, s.instance(instance.ID).ServiceStatus)
	},
	"ItClearsAnErrorWithoutATask": func(s *suite) {
		created := s.accept(creation(project))
		s.finish(store.Finish{
			Run: s.begin(created.Task.ID), State: store.TaskFailed, TaskStatus: status.TaskBuildingErrorServer,
		})
		reset, err := s.ResetStatus(s.ctx, change(created.Instance.ID), true)
		require.NoError(s, err)
		assert.Equal(s, status.TaskNone, reset.TaskStatus)
		assert.False(s, reset.EverActive)
		assert.Equal(s, 1, s.inUse(store.ResourceInstances))
	},
	"ItGivesBackWhatAnEndedTaskHeld": func(s *suite) {
		instance := s.running(project)
		s.accept(growth(instance.ID, 3))
		_, err := s.ResetStatus(s.ctx, change(instance.ID), false)
		require.NoError(s, err)
		assert.Equal(s, 2, s.inUse(store.ResourceVolumes))
	},
	"OfAMemberItEndsTheTaskOfTheWholeSet": func(s *suite) {
		source, replicas := s.set(2)
		promotion := s.act(promote, replicas[0].ID)
		run := s.begin(promotion.ID)
		waiting := s.act(action.RebootInstance, replicas[1].ID)
		s.outbox()
		reset, err := s.ResetStatus(s.ctx, change(source.ID), true)
		require.NoError(s, err)
		assert.Equal(s, status.ServiceUnknown, reset.ServiceStatus)
		assert.Equal(s, store.TaskCancelled, s.task(promotion.ID).State)
		assert.Equal(s, []string{waiting.ID + "/1"}, s.outbox().rings)
		for _, one := range append(replicas, source) {
			left := s.instance(one.ID)
			assert.Empty(s, left.HeldBy)
			assert.Greater(s, left.Epoch, run.Epoch)
		}
		assert.Equal(s, status.TaskNone, s.instance(replicas[0].ID).TaskStatus)
		assert.Equal(s, status.ServiceHealthy, s.instance(replicas[0].ID).ServiceStatus)
		assert.Equal(s, status.TaskRebooting, s.instance(replicas[1].ID).TaskStatus)
		require.ErrorIs(s, s.end(store.Finish{Run: run, State: store.TaskSucceeded}), store.ErrSuperseded)
	},
	"OfSeveralMembersAtOnceItDoesNotDeadlock": func(s *suite) {
		source, replicas := s.set(2)
		run := s.begin(s.act(promote, replicas[0].ID).ID)
		failures := inParallel(12, func(i int) error {
			if i%2 == 0 {
				_, err := s.ResetStatus(s.ctx, change([]store.Instance{source, replicas[0], replicas[1]}[i%3].ID), false)
				return err
			}
			_, err := s.RenewLease(s.ctx, run, lease)
			if err != nil {
				require.ErrorIs(s, err, store.ErrSuperseded)
			}
			return nil
		})
		assert.Equal(s, 12, succeeded(failures), "%v", failures)
		for _, one := range append(replicas, source) {
			assert.Equal(s, status.TaskNone, s.instance(one.ID).TaskStatus)
		}
	},
}
