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

const (
	promote = action.PromoteToReplicaSource
	eject   = action.EjectReplicaSource
)

func ids(list []store.Instance) []string {
	names := make([]string, 0, len(list))
	for _, one := range list {
		names = append(names, one.ID)
	}
	return names
}

var setTests = map[string]func(*suite){
	"ANewReplicaIsJudgedByItsSource": func(s *suite) {
		source := s.running(project)
		a := replication(source)
		a.Admit = func(scene store.Scene) error {
			assert.Equal(s, []store.Instance{source}, scene.Others)
			assert.Equal(s, source.ID, scene.Instance.ReplicaOf)
			return nil
		}
		assert.Equal(s, source.ID, s.accept(a).Instance.ReplicaOf)
		foreign := replication(source)
		foreign.ProjectID = "other"
		_, err := s.Accept(s.ctx, foreign)
		require.ErrorIs(s, err, store.ErrNotFound)
	},
	"ASetIsShownWithItsSourceFirst": func(s *suite) {
		source, replicas := s.set(3)
		promotion := acceptance(promote, replicas[1].ID)
		promotion.Admit = func(scene store.Scene) error {
			assert.Equal(s, replicas[1], scene.Instance)
			assert.Equal(s, []store.Instance{source, replicas[0], replicas[2]}, scene.Others)
			return errRefused("seen")
		}
		_, err := s.Accept(s.ctx, promotion)
		require.ErrorIs(s, err, errRefused("seen"))
		for _, a := range []store.Acceptance{acceptance(action.DeleteInstance, source.ID), acceptance(action.ResizeVolume, source.ID)} {
			a.WithSet = true
			a.Admit = func(scene store.Scene) error {
				assert.Equal(s, replicas, scene.Others)
				return errRefused("seen")
			}
			_, err := s.Accept(s.ctx, a)
			require.ErrorIs(s, err, errRefused("seen"))
		}
	},
	"ATaskOfTheWholeSetHoldsEveryMember": func(s *suite) {
		source, replicas := s.set(2)
		s.outbox()
		task := s.act(promote, replicas[0].ID)
		out := s.outbox()
		assert.Equal(s, []string{"PROMOTE", "PROMOTE", "PROMOTE"}, out.statuses())
		assert.Equal(s, []string{task.ID + "/1"}, out.rings)
		for _, member := range []store.Instance{source, replicas[1]} {
			held := s.instance(member.ID)
			assert.Equal(s, status.TaskPromoting, held.TaskStatus)
			assert.Equal(s, task.ID, held.HeldBy)
			list, _, err := s.ListTasks(s.ctx, store.TaskFilter{InstanceID: member.ID, Actions: []action.Name{promote}}, store.Page{Limit: 9})
			require.NoError(s, err)
			assert.Equal(s, []store.Task{task}, list)
			restart := acceptance(action.RestartInstance, member.ID)
			restart.Admit = func(scene store.Scene) error {
				assert.Equal(s, []store.Task{task}, scene.Unfinished)
				return ruleR(scene)
			}
			_, err = s.Accept(s.ctx, restart)
			require.Error(s, err)
		}
		assert.Empty(s, s.instance(replicas[0].ID).HeldBy)
	},
	"OfPromotionsInOneSetAtOnceOneIsAccepted": func(s *suite) {
		_, replicas := s.set(2)
		s.outbox()
		failures := inParallel(20, func(i int) error {
			a := acceptance(promote, replicas[i%2].ID)
			a.Admit = ruleR
			_, err := s.Accept(s.ctx, a)
			return err
		})
		assert.Equal(s, 1, succeeded(failures))
		for _, err := range failures {
			if refused := errRefused(""); err != nil && !errs.IsReason(err, "SET_BUSY") {
				assert.ErrorAs(s, err, &refused)
			}
		}
		assert.Len(s, s.outbox().rings, 1)
	},
	"ATaskOnAMemberRefusesTheSet": func(s *suite) {
		source, replicas := s.set(2)
		s.act(action.RestartInstance, replicas[1].ID)
		before := s.instance(source.ID)
		s.outbox()
		_, err := s.Accept(s.ctx, acceptance(promote, replicas[0].ID))
		require.True(s, errs.IsKind(err, errs.WrongState), "%v", err)
		assert.Equal(s, "Instance "+replicas[1].ID+" of the replication set is not currently available for an action to be "+
			"performed (task status was REBOOTING).", err.Error())
		assert.Equal(s, before, s.instance(source.ID))
		assert.Empty(s, s.outbox().subjects)
	},
	"AReplicaThatIsBuiltRefusesAPromotionAndIsLeftOutOfAnEjection": func(s *suite) {
		source, replicas := s.set(1)
		built := s.accept(replication(source))
		_, err := s.Accept(s.ctx, acceptance(promote, replicas[0].ID))
		require.True(s, errs.IsReason(err, "SET_BUSY"), "%v", err)
		assert.Contains(s, err.Error(), built.Instance.ID)
		claim := s.claim(s.act(eject, source.ID).ID, "worker")
		require.Len(s, claim.Members, 1)
		assert.Equal(s, replicas[0].ID, claim.Members[0].ID)
		assert.Empty(s, s.instance(built.Instance.ID).HeldBy)
	},
	"AReplicaThatNeverWasIsNoMember": func(s *suite) {
		source, replicas := s.set(1)
		failed := s.accept(replication(source))
		s.finish(store.Finish{
			Run: s.begin(failed.Task.ID), State: store.TaskFailed, TaskStatus: status.TaskBuildingErrorReplica,
		})
		claim := s.claim(s.act(promote, replicas[0].ID).ID, "worker")
		require.Len(s, claim.Members, 1)
		assert.Equal(s, source.ID, claim.Members[0].ID)
		assert.Equal(s, status.TaskBuildingErrorReplica, s.instance(failed.Instance.ID).TaskStatus)
	},
	"AClaimDrawsOneEpochThatIsNewToAllMembers": func(s *suite) {
		source, replicas := s.set(2)
		for range 5 {
			s.finish(store.Finish{Run: s.begin(s.act(action.RestartInstance, source.ID).ID), State: store.TaskSucceeded})
		}
		newest := s.instance(source.ID).Epoch
		task := s.act(promote, replicas[0].ID)
		claim := s.claim(task.ID, "worker")
		require.Equal(s, claimed, claim.Outcome)
		assert.Equal(s, newest+1, claim.Task.Epoch)
		assert.Equal(s, newest+1, claim.Instance.Epoch)
		require.Len(s, claim.Members, 2)
		for _, member := range claim.Members {
			assert.Equal(s, newest+1, member.Epoch)
			assert.Equal(s, member.Instance, s.instance(member.ID))
		}
		assert.Less(s, claim.Members[0].ID, claim.Members[1].ID)
	},
	"ATaskThatAdmitsAnyStateWaitsForTheOneThatHoldsItsInstance": func(s *suite) {
		source, replicas := s.set(1)
		promotion := s.act(promote, replicas[0].ID)
		s.outbox()
		reboot := s.act(action.RebootInstance, source.ID)
		assert.Empty(s, s.outbox().rings)
		assert.Equal(s, busy, s.claim(reboot.ID, "worker").Outcome)
		run := s.begin(promotion.ID)
		s.clock.advance(lease - 1)
		n, err := s.RingDue(s.ctx, 0)
		require.NoError(s, err)
		assert.Zero(s, n)
		s.finish(store.Finish{Run: run, State: store.TaskSucceeded})
		assert.Contains(s, s.outbox().rings, reboot.ID+"/1")
		assert.Equal(s, status.TaskRebooting, s.instance(source.ID).TaskStatus)
		s.begin(reboot.ID)
	},
	"NoInstanceOfASetThatIsTurnedIsDeleted": func(s *suite) {
		source, replicas := s.set(2)
		task := s.act(promote, replicas[0].ID)
		for _, one := range append(replicas, source) {
			_, err := s.Accept(s.ctx, acceptance(action.DeleteInstance, one.ID))
			require.True(s, errs.IsKind(err, errs.WrongState), "%v", err)
			require.True(s, errs.IsReason(err, "SET_TURNING"), "%v", err)
		}
		assert.Equal(s, store.TaskQueued, s.task(task.ID).State)
		run := s.begin(task.ID)
		_, err := s.Accept(s.ctx, acceptance(action.DeleteInstance, source.ID))
		require.True(s, errs.IsReason(err, "SET_TURNING"), "%v", err)
		renewed, err := s.RenewLease(s.ctx, run, lease)
		require.NoError(s, err)
		assert.Equal(s, journalv1.StopMode_STOP_MODE_UNSPECIFIED, renewed.Stop)
	},
	"RecordsChangeMembersAndKeepNotes": func(s *suite) {
		source, replicas := s.set(2)
		task := s.act(promote, replicas[0].ID)
		run := s.begin(task.ID)
		record := store.Record{
			Run: run, Patch: &journalv1.InstancePatch{ReplicaOf: proto.String("")},
			Members: map[string]*journalv1.InstancePatch{
				source.ID:      {ReplicaOf: proto.String(replicas[0].ID)},
				replicas[1].ID: {ReplicaOf: proto.String(replicas[0].ID), Problem: proto.String("it diverged")},
			},
			Notes: map[string]string{"position": "0-1-7", "elected": "x"},
		}
		_, err := s.RecordSteps(s.ctx, record)
		require.NoError(s, err)
		_, err = s.RecordSteps(s.ctx, store.Record{Run: run, Notes: map[string]string{"position": "0-1-9"}})
		require.NoError(s, err)
		set, err := s.InstanceSet(s.ctx, project, source.ID)
		require.NoError(s, err)
		assert.Equal(s, replicas[0].ID, set[0].ID)
		assert.ElementsMatch(s, []string{source.ID, replicas[1].ID}, ids(set[1:]))

		s.clock.advance(lease)
		claim := s.claim(task.ID, "another")
		assert.Equal(s, map[string]string{"position": "0-1-9", "elected": "x"}, claim.Task.Notes)
		problems := map[string]string{}
		for _, member := range claim.Members {
			assert.Equal(s, replicas[0].ID, member.ReplicaOf)
			problems[member.ID] = member.Problem
		}
		assert.Equal(s, map[string]string{source.ID: "", replicas[1].ID: "it diverged"}, problems)
		_, err = s.RecordSteps(s.ctx, record)
		require.ErrorIs(s, err, store.ErrSuperseded)
	},
	"ARecordOfWhatIsNoMemberIsRefusedWhole": func(s *suite) {
		_, replicas := s.set(1)
		stranger := s.running(project)
		run := s.begin(s.act(promote, replicas[0].ID).ID)
		patches := map[string]*journalv1.InstancePatch{stranger.ID: {Fenced: proto.Bool(true)}}
		_, err := s.RecordSteps(s.ctx, store.Record{Run: run, Progress: 50, Members: patches})
		require.True(s, errs.IsReason(err, "NOT_A_MEMBER"), "%v", err)
		end := store.Finish{
			Run: run, State: store.TaskFailed, TaskStatus: status.TaskNone,
			Members: map[string]store.MemberEnd{stranger.ID: {}},
		}
		require.True(s, errs.IsReason(s.end(end), "NOT_A_MEMBER"))
		assert.Zero(s, s.task(run.TaskID).Progress)
		assert.Equal(s, stranger, s.instance(stranger.ID))
	},
}
