package storetest

import (
	"context"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

func key(fingerprint string) *store.Idempotency {
	return &store.Idempotency{ProjectID: project, Key: "key", Fingerprint: []byte(fingerprint)}
}

func creations(n int) []store.Acceptance {
	list := make([]store.Acceptance, 0, n)
	for range n {
		list = append(list, creation(project))
	}
	return list
}

// restarts of as many new instances.
func (s *suite) restarts(n int) []store.Acceptance {
	s.Helper()
	list := make([]store.Acceptance, 0, n)
	for range n {
		a := creation(project)
		a.QuotaLimits = nil
		list = append(list, acceptance(action.RestartInstance, s.built(s.accept(a)).ID))
	}
	return list
}

func taskIDs(outcomes []store.Outcome) []string {
	list := make([]string, 0, len(outcomes))
	for _, o := range outcomes {
		list = append(list, o.Task.ID)
	}
	return list
}

// replicasGo admits the deletion of a source whose replicas are all being deleted.
func replicasGo(scene store.Scene) error {
	for _, other := range scene.Others {
		if other.ReplicaOf == scene.Instance.ID && other.TaskStatus != status.TaskDeleting {
			return errs.New(errs.Forbidden, "HAS_REPLICAS", "Detach replicas before deleting replica source.")
		}
	}
	return nil
}

var batchTests = map[string]func(*suite){
	"AllAreAcceptedAtOnce": func(s *suite) {
		list := creations(3)
		all, err := s.AcceptAll(s.ctx, store.Batch{List: list})
		require.NoError(s, err)
		require.Len(s, all, 3)
		for i, a := range list {
			assert.Equal(s, a.Command.GetTaskId(), all[i].Task.ID)
			assert.Equal(s, all[i].Instance, s.instance(a.InstanceID))
		}
		assert.Len(s, s.outbox().rings, 3)
		assert.Equal(s, 3, s.inUse(store.ResourceInstances))
	},
	"OfAllNoneIsAcceptedWhenOneIsRefused": func(s *suite) {
		list := creations(3)
		list[2].QuotaLimits = map[store.Resource]int{store.ResourceInstances: 2}
		_, err := s.AcceptAll(s.ctx, store.Batch{List: list, Idempotency: key("print")})
		require.True(s, errs.IsKind(err, errs.OverQuota), "%v", err)
		assert.Empty(s, s.outbox().subjects)
		assert.Zero(s, s.inUse(store.ResourceInstances))
		_, err = s.Instance(s.ctx, "", list[0].InstanceID)
		require.ErrorIs(s, err, store.ErrNotFound)
		_, err = s.AcceptAll(s.ctx, store.Batch{List: creations(1), Idempotency: key("other")})
		require.NoError(s, err, "a refusal does not use up its key")
	},
	"AllAreRepeatedUnderTheirKey": func(s *suite) {
		first, err := s.AcceptAll(s.ctx, store.Batch{List: creations(2), Idempotency: key("print")})
		require.NoError(s, err)
		s.outbox()
		again, err := s.AcceptAll(s.ctx, store.Batch{List: creations(2), Idempotency: key("print")})
		require.NoError(s, err)
		require.Len(s, again, 2)
		for i := range again {
			assert.True(s, again[i].Repeated)
			assert.Equal(s, first[i].Task, again[i].Task)
			assert.Equal(s, first[i].Instance, again[i].Instance)
		}
		assert.Empty(s, s.outbox().subjects)
		_, err = s.AcceptAll(s.ctx, store.Batch{List: creations(2), Idempotency: key("other")})
		require.ErrorIs(s, err, store.ErrIdempotencyMismatch)
		single := creation(project)
		single.Idempotency = key("print")
		_, err = s.Accept(s.ctx, single)
		require.ErrorIs(s, err, store.ErrIdempotencyMismatch)
	},
	"TheSameListAtOnceIsAcceptedOnce": func(s *suite) {
		failures := inParallel(20, func(int) error {
			_, err := s.AcceptAll(s.ctx, store.Batch{List: creations(2), Idempotency: key("print")})
			return err
		})
		require.Equal(s, 20, succeeded(failures), "%v", failures)
		assert.Equal(s, 2, s.inUse(store.ResourceInstances))
	},
	"OneRefusalDoesNotStopTheOthers": func(s *suite) {
		list := s.restarts(3)
		s.outbox()
		list[1].Admit = func(store.Scene) error { return errRefused("not now") }
		unknown := acceptance(action.RestartInstance, uuid.NewString())
		tooMuch := growth(list[2].InstanceID, 99)
		outcomes, err := s.AcceptEach(s.ctx, store.Batch{List: []store.Acceptance{unknown, list[0], list[1], tooMuch, list[2]}})
		require.NoError(s, err)
		require.Len(s, outcomes, 5)
		require.ErrorIs(s, outcomes[0].Err, store.ErrNotFound)
		require.NoError(s, outcomes[1].Err)
		require.ErrorContains(s, outcomes[2].Err, "not now")
		require.True(s, errs.IsKind(outcomes[3].Err, errs.OverQuota))
		require.NoError(s, outcomes[4].Err)
		assert.Equal(s, []string{list[0].Command.GetTaskId() + "/1", list[2].Command.GetTaskId() + "/1"}, s.outbox().rings)
		assert.Equal(s, status.TaskNone, s.instance(list[1].InstanceID).TaskStatus)
		assert.Equal(s, status.TaskRebooting, s.instance(list[2].InstanceID).TaskStatus)
		assert.Equal(s, 6, s.inUse(store.ResourceVolumes))
	},
	"EachSeesWhatThoseBeforeItChanged": func(s *suite) {
		source, replicas := s.set(2)
		var list []store.Acceptance
		for _, one := range []store.Instance{replicas[0], source, replicas[1], source} {
			a := acceptance(action.DeleteInstance, one.ID)
			a.Admit = replicasGo
			list = append(list, a)
		}
		outcomes, err := s.AcceptEach(s.ctx, store.Batch{List: list})
		require.NoError(s, err)
		require.True(s, errs.IsReason(outcomes[1].Err, "HAS_REPLICAS"), "%v", outcomes[1].Err)
		for _, i := range []int{0, 2, 3} {
			require.NoError(s, outcomes[i].Err)
		}
	},
	"ALongListKeepsItsOrderAndIsRepeatedUnderItsKey": func(s *suite) {
		list := s.restarts(50)
		list[40].InstanceID = uuid.NewString()
		batch := store.Batch{List: list, Idempotency: key("print")}
		outcomes, err := s.AcceptEach(s.ctx, batch)
		require.NoError(s, err)
		require.Len(s, outcomes, 50)
		for i, o := range outcomes {
			if i == 40 {
				require.ErrorIs(s, o.Err, store.ErrNotFound)
				continue
			}
			require.NoError(s, o.Err)
			assert.Equal(s, list[i].Command.GetTaskId(), o.Task.ID)
		}
		s.outbox()
		again, err := s.AcceptEach(s.ctx, batch)
		require.NoError(s, err)
		assert.Equal(s, taskIDs(outcomes), taskIDs(again))
		assert.True(s, errs.IsKind(again[40].Err, errs.NotFound))
		assert.Equal(s, outcomes[40].Err.Error(), again[40].Err.Error())
		assert.True(s, again[49].Repeated)
		assert.Empty(s, s.outbox().subjects)
	},
	"ACallThatWasCutOffIsTakenUpWhereItWas": func(s *suite) {
		batch := store.Batch{List: s.restarts(40), Idempotency: key("print")}
		batch.List[30].Admit = func(store.Scene) error { return context.Canceled }
		begun, err := s.AcceptEach(s.ctx, batch)
		require.ErrorIs(s, err, context.Canceled)
		require.NotEmpty(s, begun)
		require.LessOrEqual(s, len(begun), 30)
		batch.List[30].Admit = nil
		outcomes, err := s.AcceptEach(s.ctx, batch)
		require.NoError(s, err)
		require.Len(s, outcomes, 40)
		assert.Equal(s, taskIDs(begun), taskIDs(outcomes[:len(begun)]))
		for _, o := range outcomes {
			require.NoError(s, o.Err)
		}
	},
	"TheSameBatchAtOnceIsAcceptedOnce": func(s *suite) {
		list := s.restarts(20)
		s.outbox()
		failures := inParallel(8, func(int) error {
			mine := make([]store.Acceptance, 0, len(list))
			for _, a := range list {
				a.Command, a.Admit = acceptance(action.RestartInstance, a.InstanceID).Command, ruleR
				mine = append(mine, a)
			}
			outcomes, err := s.AcceptEach(s.ctx, store.Batch{List: mine, Idempotency: key("print")})
			for _, o := range outcomes {
				if o.Err != nil {
					return o.Err
				}
			}
			return err
		})
		assert.Equal(s, 8, succeeded(failures), "%v", failures)
		assert.Len(s, s.outbox().rings, 20)
	},
	"BatchesInOppositeOrderDoNotWaitForEachOther": func(s *suite) {
		list := s.restarts(10)
		failures := inParallel(8, func(n int) error {
			mine := make([]store.Acceptance, len(list))
			for i := range list {
				at := i
				if n%2 == 1 {
					at = len(list) - 1 - i
				}
				mine[i] = acceptance(action.RebootInstance, list[at].InstanceID)
			}
			_, err := s.AcceptEach(s.ctx, store.Batch{List: mine})
			return err
		})
		assert.Equal(s, 8, succeeded(failures), "%v", failures)
	},
}

var dryRunTests = map[string]func(*suite){
	"ItTellsWhatWouldBeAndChangesNothing": func(s *suite) {
		source, replicas := s.set(2)
		s.outbox()
		unchanged := func() {
			s.Helper()
			for _, one := range append(replicas, source) {
				assert.Equal(s, one, s.instance(one.ID))
			}
			assert.Empty(s, s.outbox().subjects)
			assert.Equal(s, 3, s.inUse(store.ResourceInstances))
		}
		promotion := acceptance(promote, replicas[0].ID)
		promotion.DryRun, promotion.Idempotency = true, key("print")
		accepted := s.accept(promotion)
		assert.Equal(s, status.TaskPromoting, accepted.Instance.TaskStatus)
		_, err := s.Task(s.ctx, "", accepted.Task.ID)
		require.ErrorIs(s, err, store.ErrNotFound)
		unchanged()

		all, err := s.AcceptAll(s.ctx, store.Batch{List: creations(2), Idempotency: key("print"), DryRun: true})
		require.NoError(s, err)
		assert.Len(s, all, 2)
		unchanged()

		var list []store.Acceptance
		for _, one := range append(replicas, source) {
			a := acceptance(action.DeleteInstance, one.ID)
			a.Admit = replicasGo
			list = append(list, a)
		}
		outcomes, err := s.AcceptEach(s.ctx, store.Batch{List: list, Idempotency: key("print"), DryRun: true})
		require.NoError(s, err)
		for _, o := range outcomes {
			require.NoError(s, o.Err)
		}
		unchanged()

		change := store.Change{InstanceID: source.ID, Idempotency: key("print"), DryRun: true}
		renamed, err := s.Rename(s.ctx, change, "another")
		require.NoError(s, err)
		assert.Equal(s, "another", renamed.Name)
		_, err = s.ResetStatus(s.ctx, change, true)
		require.NoError(s, err)
		unchanged()
	},
	"ItIsRefusedLikeTheCallItself": func(s *suite) {
		a := growth(s.running(project).ID, 99)
		a.DryRun = true
		_, err := s.Accept(s.ctx, a)
		require.True(s, errs.IsKind(err, errs.OverQuota), "%v", err)
		a = acceptance(action.RestartInstance, uuid.NewString())
		a.DryRun = true
		_, err = s.Accept(s.ctx, a)
		require.ErrorIs(s, err, store.ErrNotFound)
	},
}
