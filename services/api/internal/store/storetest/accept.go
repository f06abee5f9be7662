package storetest

import (
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

var acceptTests = map[string]func(*suite){
	"ACreationWritesInstanceTaskAndMessagesAtOnce": func(s *suite) {
		public := false
		a := creation(project)
		a.New.Access = &store.Access{IsPublic: &public, AllowedCIDRs: []string{"10.0.0.0/8"}}
		accepted := s.accept(a)

		assert.False(s, accepted.Repeated)
		stored := s.instance(a.New.ID)
		assert.Equal(s, accepted.Instance, stored)
		assert.Equal(s, status.TaskBuilding, stored.TaskStatus)
		assert.Equal(s, s.clock.Now(), stored.Created)
		assert.Equal(s, a.New.Access, stored.Access)
		assert.Nil(s, stored.Fault)
		task := s.task(a.Command.GetTaskId())
		assert.Equal(s, store.TaskQueued, task.State)
		assert.Equal(s, stored.Name, task.InstanceName)
		assert.Equal(s, "req-1", task.RequestID)
		assert.True(s, proto.Equal(a.Command, task.Command))
		out := s.outbox()
		assert.Equal(s, []string{task.ID + "/1"}, out.rings)
		assert.Equal(s, []string{"create_instance QUEUED"}, out.tasks)
		assert.Equal(s, []string{"BUILD"}, out.statuses())
		assert.ElementsMatch(s, []string{
			"coffer.command.slow.create_instance", "coffer.event.project.task", "coffer.event.project.instance",
		}, out.subjects)
	},
	"AnActionChangesWhatUsersSeeBeforeItRuns": func(s *suite) {
		instance := s.running(project)
		s.outbox()
		task := s.act(action.RestartInstance, instance.ID)

		assert.Equal(s, status.TaskRebooting, s.instance(instance.ID).TaskStatus)
		out := s.outbox()
		assert.Equal(s, []string{"REBOOT"}, out.statuses())
		assert.Equal(s, []string{task.ID + "/1"}, out.rings)
	},
	"ARefusalLeavesNothing": func(s *suite) {
		instance := s.running(project)
		s.outbox()
		before := s.quota(project)
		refusal := errs.New(errs.WrongState, "NOT_NOW", "not now")
		a := acceptance(action.RestartInstance, instance.ID)
		a.Quota = map[store.Resource]int{store.ResourceInstances: 1}
		a.Idempotency = &store.Idempotency{ProjectID: project, Key: "k", Fingerprint: []byte("f")}
		a.Admit = func(scene store.Scene) error {
			assert.Equal(s, store.Scene{Instance: instance, Unfinished: []store.Task{}}, scene)
			return refusal
		}
		_, err := s.Accept(s.ctx, a)

		require.ErrorIs(s, err, refusal)
		assert.Equal(s, instance, s.instance(instance.ID))
		assert.Equal(s, before, s.quota(project))
		assert.Empty(s, s.outbox().subjects)
		_, err = s.Task(s.ctx, "", a.Command.GetTaskId())
		require.ErrorIs(s, err, store.ErrNotFound)
		a.Admit = nil
		assert.False(s, s.accept(a).Repeated)
	},
	"AForeignOrMissingInstanceIsNotFound": func(s *suite) {
		instance := s.running(project)
		foreign := acceptance(action.RestartInstance, instance.ID)
		foreign.ProjectID = "other"
		_, err := s.Accept(s.ctx, foreign)
		require.ErrorIs(s, err, store.ErrNotFound)
		_, err = s.Accept(s.ctx, acceptance(action.RestartInstance, uuid.NewString()))
		require.ErrorIs(s, err, store.ErrNotFound)
	},
	"OfFiftyRestartsAtOnceOneIsAccepted": func(s *suite) {
		instance := s.running(project)
		s.outbox()
		failures := inParallel(50, func(int) error {
			a := acceptance(action.RestartInstance, instance.ID)
			a.Admit = ruleR
			_, err := s.Accept(s.ctx, a)
			return err
		})
		assert.Equal(s, 1, succeeded(failures))
		for _, err := range failures {
			if refused := errRefused(""); err != nil {
				assert.ErrorAs(s, err, &refused)
			}
		}
		assert.Len(s, s.outbox().rings, 1)
	},
	"AnActionInAnyStateWaitsForItsTurn": func(s *suite) {
		instance := s.running(project)
		first := s.act(action.RestartInstance, instance.ID)
		s.outbox()
		second := s.act(action.RestartInstance, instance.ID)
		assert.Empty(s, s.outbox().rings)

		s.finish(store.Finish{Run: s.begin(first.ID), State: store.TaskSucceeded})

		assert.Equal(s, []string{second.ID + "/1"}, s.outbox().rings)
		assert.Equal(s, status.TaskRebooting, s.instance(instance.ID).TaskStatus)
	},
	"EveryWaitingTaskIsToldToAdmit": func(s *suite) {
		instance := s.running(project)
		first := s.act(action.RestartInstance, instance.ID)
		second := s.act(action.RestartInstance, instance.ID)
		a := acceptance(action.RestartInstance, instance.ID)
		a.Admit = func(scene store.Scene) error {
			var ids []string
			for _, task := range scene.Unfinished {
				ids = append(ids, task.ID)
			}
			assert.True(s, slices.Equal([]string{first.ID, second.ID}, ids))
			return nil
		}
		s.accept(a)
	},
}

var quotaTests = map[string]func(*suite){
	"EveryExceededResourceIsNamed": func(s *suite) {
		a := creation(project)
		a.QuotaLimits = map[store.Resource]int{store.ResourceInstances: 0, store.ResourceVolumes: 1}
		_, err := s.Accept(s.ctx, a)
		require.True(s, errs.IsKind(err, errs.OverQuota), "%v", err)
		assert.Equal(s, "Quota exceeded for resources: ['instances', 'volumes'].", err.Error())
		for resource, n := range s.quota(project) {
			assert.Zero(s, n, resource)
		}
		_, err = s.Instance(s.ctx, "", a.New.ID)
		require.ErrorIs(s, err, store.ErrNotFound)
	},
	"ItIsExactUnderConcurrency": func(s *suite) {
		failures := inParallel(50, func(int) error {
			_, err := s.Accept(s.ctx, creation(project))
			return err
		})
		assert.Equal(s, 10, succeeded(failures))
		for _, err := range failures {
			assert.True(s, err == nil || errs.IsKind(err, errs.OverQuota), "%v", err)
		}
		used := s.quota(project)
		assert.Equal(s, 10, used[store.ResourceInstances])
		assert.Equal(s, 10*512, used[store.ResourceRAM])
		assert.Equal(s, 20, used[store.ResourceVolumes])
	},
	"ProjectsDoNotShareIt": func(s *suite) {
		s.accept(creation(project))
		assert.Empty(s, s.quota("other"))
		limits, err := s.QuotaLimits(s.ctx, project)
		require.NoError(s, err)
		assert.Empty(s, limits)
	},
}

var idempotencyTests = map[string]func(*suite){
	"TheSameRequestHasTheSameTask": func(s *suite) {
		a := creation(project)
		a.Idempotency = &store.Idempotency{ProjectID: project, Key: "key", Fingerprint: []byte("print")}
		first := s.accept(a)
		again := creation(project)
		again.Idempotency = a.Idempotency
		s.outbox()
		second := s.accept(again)

		assert.True(s, second.Repeated)
		assert.Equal(s, first.Task, second.Task)
		assert.Equal(s, first.Instance, second.Instance)
		assert.Empty(s, s.outbox().subjects)
		assert.Equal(s, 1, s.quota(project)[store.ResourceInstances])
	},
	"AnotherRequestUnderTheKeyIsRefused": func(s *suite) {
		a := creation(project)
		a.Idempotency = &store.Idempotency{ProjectID: project, Key: "key", Fingerprint: []byte("print")}
		s.accept(a)
		b := creation(project)
		b.Idempotency = &store.Idempotency{ProjectID: project, Key: "key", Fingerprint: []byte("other")}
		_, err := s.Accept(s.ctx, b)
		require.ErrorIs(s, err, store.ErrIdempotencyMismatch)
	},
	"KeysBelongToTheirProject": func(s *suite) {
		for _, p := range []string{"one", "two"} {
			a := creation(p)
			a.Idempotency = &store.Idempotency{ProjectID: p, Key: "key", Fingerprint: []byte(p)}
			assert.False(s, s.accept(a).Repeated)
		}
	},
	"AKeyLivesForADay": func(s *suite) {
		a := creation(project)
		a.Idempotency = &store.Idempotency{ProjectID: project, Key: "key", Fingerprint: []byte("print")}
		s.accept(a)
		s.clock.advance(day)
		b := creation(project)
		b.Idempotency = &store.Idempotency{ProjectID: project, Key: "key", Fingerprint: []byte("other")}
		assert.False(s, s.accept(b).Repeated)
	},
	"TheSameRequestAtOnceIsAcceptedOnce": func(s *suite) {
		var tasks [50]string
		failures := inParallel(len(tasks), func(i int) error {
			a := creation(project)
			a.Idempotency = &store.Idempotency{ProjectID: project, Key: "key", Fingerprint: []byte("print")}
			accepted, err := s.Accept(s.ctx, a)
			tasks[i] = accepted.Task.ID
			return err
		})
		require.Equal(s, len(tasks), succeeded(failures), "%v", errors.Join(failures...))
		for _, id := range tasks {
			assert.Equal(s, tasks[0], id)
		}
		assert.Equal(s, 1, s.quota(project)[store.ResourceInstances])
	},
	"ARepeatAnswersWithTheInstanceAsItIsNow": func(s *suite) {
		instance := s.running(project)
		a := acceptance(action.DeleteInstance, instance.ID)
		a.Idempotency = &store.Idempotency{ProjectID: project, Key: "key", Fingerprint: []byte("print")}
		deletion := s.accept(a)
		s.finish(store.Finish{Run: s.begin(deletion.Task.ID), State: store.TaskSucceeded, Deleted: true})
		again := s.accept(a)
		assert.True(s, again.Repeated)
		assert.NotNil(s, again.Instance.Deleted)
		assert.Equal(s, store.TaskSucceeded, again.Task.State)
	},
}
