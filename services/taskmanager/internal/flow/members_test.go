package flow_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

func setJournal() *flowtest.Journal {
	return flowtest.New(
		&commandv1.Command{TaskId: "task", InstanceId: "instance", Action: &commandv1.Command_PromoteToReplicaSource{}},
		&journalv1.Instance{Id: "instance", ReplicaOf: "source"},
		&journalv1.Instance{Id: "other", ReplicaOf: "source"}, &journalv1.Instance{Id: "source"},
	)
}

func TestMembersAreChangedWithTheStepsRecord(t *testing.T) {
	journal := setJournal()
	seen := map[string]string{}
	workflow := flow.New(action.PromoteToReplicaSource, settle).
		Step("switch", func(_ context.Context, r *flow.Run) error {
			r.Change(&journalv1.InstancePatch{ReplicaOf: proto.String("")})
			var each sync.WaitGroup
			for id := range r.Members {
				each.Go(func() { r.ChangeMember(id, &journalv1.InstancePatch{ReplicaOf: proto.String("instance")}) })
			}
			each.Wait()
			r.Problem("other", errBroken)
			return nil
		}).
		Step("look", func(_ context.Context, r *flow.Run) error {
			for id, member := range r.Members {
				seen[id] = member.GetReplicaOf() + member.GetProblem()
			}
			return nil
		})

	require.NoError(t, run(t, journal, workflow))

	assert.Equal(t, map[string]string{"other": "instanceIt is broken.", "source": "instance"}, seen)
	assert.Empty(t, journal.Instance().GetReplicaOf())
	assert.Equal(t, "instance", journal.Member("source").GetReplicaOf())
	assert.Equal(t, "It is broken.", journal.Member("other").GetProblem())
}

func TestWhatAFailedAttemptChangedOfMembersIsForgotten(t *testing.T) {
	journal := setJournal()
	first := true
	workflow := flow.New(action.PromoteToReplicaSource, settle).
		Step("switch", func(_ context.Context, r *flow.Run) error {
			if first {
				first = false
				r.Problem("other", errBroken)
				r.Note("chosen", "a")
				return errAway
			}
			assert.Empty(t, r.Noted("chosen"))
			return nil
		})

	require.NoError(t, run(t, journal, workflow))

	assert.Empty(t, journal.Member("other").GetProblem())
	assert.NotContains(t, journal.Notes(), "chosen")
}

func TestANoteIsThereForLaterStepsAndRuns(t *testing.T) {
	journal := setJournal()
	noted := []string{}
	workflow := flow.New(action.PromoteToReplicaSource, settle).
		Step("elect", func(_ context.Context, r *flow.Run) error {
			r.Note("elected", "other")
			noted = append(noted, r.Noted("elected"))
			return nil
		}).
		Step("promote", func(_ context.Context, r *flow.Run) error {
			noted = append(noted, r.Noted("elected"))
			return nil
		})
	journal.DieAt(1, true)

	require.ErrorIs(t, run(t, journal, workflow), flow.ErrSuperseded)
	require.NoError(t, run(t, journal, workflow))

	assert.Equal(t, []string{"other", "other"}, noted)
}

func TestTheEndSaysHowMembersAreLeft(t *testing.T) {
	journal := setJournal()
	workflow := flow.New(action.PromoteToReplicaSource, func(r *flow.Run, _ flow.End) flow.Settlement {
		return flow.Settlement{TaskStatus: status.TaskNone, Members: map[string]*journalv1.MemberEnd{
			"other": {
				TaskStatus: string(status.TaskPromotionError), Fault: &journalv1.Fault{Message: r.Members["other"].GetId()},
				Instance: &journalv1.InstancePatch{ReplicaOf: proto.String("nobody")},
			},
		}}
	}).Step("nothing", func(context.Context, *flow.Run) error { return nil })

	require.NoError(t, run(t, journal, workflow))

	left := journal.End().GetMembers()["other"]
	assert.Equal(t, string(status.TaskPromotionError), left.GetTaskStatus())
	assert.Equal(t, "other", left.GetFault().GetMessage())
	assert.Equal(t, "nobody", journal.Member("other").GetReplicaOf())
}

func TestATaskThatHoldsMembersIsUndoneAlsoForADelete(t *testing.T) {
	w, journal := newWorld(), setJournal()
	workflow := flow.New(action.PromoteToReplicaSource, settle).
		Step("first", w.step("first"), flow.Undo(w.undo("first"))).
		Step("second", func(context.Context, *flow.Run) error {
			journal.Stop(journalv1.StopMode_STOP_MODE_ABANDON)
			return nil
		})

	require.NoError(t, run(t, journal, workflow))

	assert.Empty(t, w.has())
	assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED, journal.End().GetOutcome())
}

func TestAnOutlineSaysWhatCanBeUndone(t *testing.T) {
	outline := threeSteps(newWorld()).Outline()

	assert.Equal(t, "create_instance", outline.GetAction())
	require.Len(t, outline.GetSteps(), 3)
	assert.Equal(t, "second", outline.GetSteps()[1].GetName())
	assert.True(t, outline.GetSteps()[0].GetUndoable())
	assert.False(t, outline.GetSteps()[1].GetUndoable())
}
