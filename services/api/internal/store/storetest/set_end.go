package storetest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

var setEndTests = map[string]func(*suite){
	"TheEndLetsGoOfEveryMember": func(s *suite) {
		source, replicas := s.set(2)
		run := s.begin(s.act(promote, replicas[0].ID).ID)
		s.outbox()
		s.finish(store.Finish{
			Run: run, State: store.TaskSucceeded, Members: map[string]store.MemberEnd{replicas[1].ID: {
				TaskStatus: status.TaskPromotionError, Fault: &store.Fault{Message: "its server is gone"},
				Patch: &journalv1.InstancePatch{ServerStatus: proto.String("SHUTDOWN")},
			}},
		})
		assert.ElementsMatch(s, []string{"ACTIVE HEALTHY", "ACTIVE HEALTHY", "ERROR"}, s.outbox().statuses())
		for _, one := range []store.Instance{source, replicas[0]} {
			left := s.instance(one.ID)
			assert.Equal(s, status.TaskNone, left.TaskStatus)
			assert.Empty(s, left.HeldBy)
			assert.Nil(s, left.Fault)
		}
		failed := s.instance(replicas[1].ID)
		assert.Equal(s, status.TaskPromotionError, failed.TaskStatus)
		assert.Equal(s, status.ServerShutdown, failed.ServerStatus)
		assert.Empty(s, failed.HeldBy)
		assert.Equal(s, "its server is gone", failed.Fault.Message)
	},
	"OneThatEndsBeforeItBeganLeavesEveryMemberAsItWas": func(s *suite) {
		source, replicas := s.set(2)
		require.NoError(s, s.restartRequired(source.ID))
		task := s.act(promote, replicas[0].ID)
		cancelled, err := s.CancelTask(s.ctx, project, task.ID, nil, func(store.Task) error { return nil })
		require.NoError(s, err)
		assert.Equal(s, store.TaskCancelled, cancelled.State)
		assert.Equal(s, status.TaskRestartRequired, s.instance(source.ID).TaskStatus)
		assert.Equal(s, status.TaskNone, s.instance(replicas[1].ID).TaskStatus)
		assert.Empty(s, s.instance(source.ID).HeldBy)
		s.act(promote, replicas[1].ID)
	},
	"OneThatKillsItsWorkersLeavesTheWholeSetInError": func(s *suite) {
		source, replicas := s.set(1)
		task := s.act(promote, replicas[0].ID)
		for range maxClaims {
			s.begin(task.ID)
		}
		assert.Equal(s, gone, s.claim(task.ID, "worker").Outcome)
		for _, one := range []store.Instance{source, replicas[0]} {
			left := s.instance(one.ID)
			assert.Equal(s, status.TaskPromotionError, left.TaskStatus)
			assert.NotNil(s, left.Fault)
			assert.Empty(s, left.HeldBy)
		}
	},
	"AnEjectedSourceIsFenced": func(s *suite) {
		source, replicas := s.set(1)
		run := s.begin(s.act(eject, source.ID).ID)
		_, err := s.RecordSteps(s.ctx, store.Record{Run: run, Patch: &journalv1.InstancePatch{Fenced: proto.Bool(true)}})
		require.NoError(s, err)
		s.finish(store.Finish{Run: run, State: store.TaskSucceeded, Members: map[string]store.MemberEnd{
			replicas[0].ID: {Patch: &journalv1.InstancePatch{ReplicaOf: proto.String("")}},
		}})
		assert.True(s, s.instance(source.ID).Fenced)
		_, err = s.Accept(s.ctx, acceptance(action.RebootInstance, source.ID))
		require.True(s, errs.IsReason(err, "FENCED"), "%v", err)
		_, err = s.Accept(s.ctx, replication(source))
		require.True(s, errs.IsReason(err, "FENCED"), "a replica to come: %v", err)
		for _, one := range []store.Instance{source, replicas[0]} {
			set, err := s.InstanceSet(s.ctx, project, one.ID)
			require.NoError(s, err)
			assert.Equal(s, []string{one.ID}, ids(set))
		}
		_, err = s.ResetStatus(s.ctx, change(source.ID), true)
		require.NoError(s, err)
		s.buried(source.ID)
	},
	"ACreationThatSucceededOnceIsRemembered": func(s *suite) {
		instance := s.running(project)
		assert.True(s, instance.EverActive)
		failed := s.accept(creation(project))
		s.finish(store.Finish{
			Run: s.begin(failed.Task.ID), State: store.TaskFailed, TaskStatus: status.TaskBuildingErrorServer,
		})
		assert.False(s, s.instance(failed.Instance.ID).EverActive)
		s.finish(store.Finish{
			Run: s.begin(s.act(action.RestartInstance, instance.ID).ID), State: store.TaskFailed,
			TaskStatus: status.TaskBuildingErrorServer,
		})
		assert.True(s, s.instance(instance.ID).EverActive)
	},
}

// restartRequired leaves an instance with that task status.
func (s *suite) restartRequired(instanceID string) error {
	accepted, err := s.Accept(s.ctx, acceptance(action.RestartInstance, instanceID))
	if err != nil {
		return err
	}
	return s.end(store.Finish{
		Run: s.begin(accepted.Task.ID), State: store.TaskSucceeded, TaskStatus: status.TaskRestartRequired,
	})
}
