package api_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api"
)

// do asks for an operation as who may.
func (w *world) do(name, id string, pairs ...string) (*taskv1.Task, *taskv1.Plan, error) {
	w.t.Helper()
	o, known := w.operations()[name]
	require.True(w.t, known, name)
	return o.call(w.as(o.by, pairs...), w.project(o.by), id)
}

func (w *world) mustDo(name, id string) *taskv1.Task {
	w.t.Helper()
	task, _, err := w.do(name, id)
	require.NoError(w.t, err)
	return task
}

// statuses are what the instances show.
func (w *world) statuses(ids ...string) []string {
	w.t.Helper()
	list := make([]string, 0, len(ids))
	for _, id := range ids {
		list = append(list, w.get("demo", id).GetStatus())
	}
	return list
}

func TestAPromotionTurnsTheWholeSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, roomy).offering(generous)
	source, elected := w.pair("demo")
	other := w.replica("demo", source, "other")
	_, plan, err := w.do("promote", elected, dryRunHeader, "true")
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{source, other}, plan.GetMembers())

	task := w.mustDo("promote", elected)
	assert.Equal(t, []string{"PROMOTE", "PROMOTE", "PROMOTE"}, w.statuses(source, elected, other))
	for _, member := range []string{source, other} {
		_, _, err := w.do("restart", member)
		require.ErrorContains(t, err, "(task status was PROMOTING).")
		_, _, err = w.do("DDM's hard restart", member)
		require.ErrorContains(t, err, "(task status was PROMOTING).")
		_, _, err = w.do("delete", member)
		require.ErrorContains(t, err, "Instance "+member+
			" cannot be deleted while its replication set is being changed (task "+task.GetId()+", promote_to_replica_source).")
		assert.Equal(t, errs.WrongState, errs.From(err).Kind)
		listed, err := w.tasks().ListTasks(w.as("demo"),
			&taskv1.ListTasksRequest{ProjectId: w.project("demo"), InstanceId: member, Status: "queued"})
		require.NoError(t, err)
		require.Len(t, listed.GetTasks(), 1, "a member's tasks are also those that hold it")
		assert.Equal(t, task.GetId(), listed.GetTasks()[0].GetId())
	}
	_, _, err = w.do("delete", elected)
	assert.True(t, errs.IsReason(err, "SET_TURNING"), "%v", err)
	_, err = w.instances().CreateInstance(w.as("demo"), &instancev1.CreateInstanceRequest{
		ProjectId: w.project("demo"), Instance: &instancev1.NewInstance{Name: proto.String("late"), ReplicaOf: &source},
	})
	require.ErrorContains(t, err, "(task status was PROMOTING).")

	claimed := w.complete(task.GetId(), &journalv1.FinishTaskRequest{
		Instance: &journalv1.InstancePatch{ReplicaOf: proto.String("")},
		Members: map[string]*journalv1.MemberEnd{
			source: {Instance: &journalv1.InstancePatch{ReplicaOf: &elected}},
			other: {
				Instance: &journalv1.InstancePatch{ReplicaOf: &elected}, TaskStatus: "PROMOTION_ERROR",
				Fault: &journalv1.Fault{Message: "follow_new_source: it diverged"},
			},
		},
	})
	assert.Len(t, claimed.GetMembers(), 2)
	assert.Equal(t, []string{"ACTIVE", "ACTIVE", "ERROR"}, w.statuses(source, elected, other))
	assert.Equal(t, elected, w.get("demo", source).GetReplicaOf().GetId())
	assert.Len(t, w.get("demo", elected).GetReplicas(), 2)
	assert.Equal(t, "follow_new_source: it diverged", w.get("demo", other).GetFault().GetMessage())
}

func TestAPromotionWantsAReplicaInACalmSet(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	source, replica := w.pair("demo")
	for _, id := range []string{source, w.old("demo", "single")} {
		_, _, err := w.do("promote", id)
		require.ErrorContains(t, err, "Instance "+id+" is not a replica.")
		assert.Equal(t, errs.Invalid, errs.From(err).Kind)
	}
	task := w.mustDo("restart", source)
	before := w.state()
	_, _, err := w.do("promote", replica)
	require.ErrorContains(t, err, "Instance "+source+
		" of the replication set is not currently available for an action to be performed (task status was REBOOTING).")
	assert.Equal(t, errs.WrongState, errs.From(err).Kind)
	assert.Equal(t, before, w.state())
	w.complete(task.GetId(), &journalv1.FinishTaskRequest{})

	building := w.replicate("demo", source, "young").GetTask()
	_, _, err = w.do("promote", replica)
	require.ErrorContains(t, err, "Instance "+building.GetInstanceId()+" of the replication set")
	w.complete(building.GetId(), &journalv1.FinishTaskRequest{
		Outcome: journalv1.TaskOutcome_TASK_OUTCOME_FAILED, TaskStatus: "BUILDING_ERROR_REPLICA",
		Failure: &taskv1.TaskError{Code: "CUT", Step: "copy_source", Message: "cut"},
	})
	task = w.mustDo("promote", replica)
	assert.Len(t, w.claim(task.GetId()).GetMembers(), 1, "one that was never active is no member")
	assert.Equal(t, "ERROR", w.get("demo", building.GetInstanceId()).GetStatus())
}

func TestOnlyOneReplicaOfASetIsPromoted(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	source, one := w.pair("demo")
	two := w.replica("demo", source, "two")
	w.mustDo("promote", one)
	_, _, err := w.do("promote", two)
	require.ErrorContains(t, err, "(task status was PROMOTING).")
}

func TestASourceIsEjectedOnlyWhenItIsDead(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	source, replica := w.pair("demo")
	for why, id := range map[string]string{"a replica": replica, "a single": w.old("demo", "single")} {
		w.serverIs(id, "SHUTDOWN")
		_, _, err := w.do("eject", id)
		require.ErrorContains(t, err, "Instance "+id+" is not a replica source.", why)
		assert.Equal(t, errs.Invalid, errs.From(err).Kind)
	}
	lives := "Replica Source " + source + " cannot be ejected as it has a current heartbeat"
	_, _, err := w.do("eject", source)
	require.ErrorContains(t, err, lives)
	assert.Equal(t, errs.Invalid, errs.From(err).Kind)
	w.serviceIs(source, "CRASHED")
	_, _, err = w.do("eject", source)
	require.ErrorContains(t, err, lives, "its guest still speaks")
	w.silent(source)
	_, _, err = w.do("eject", source)
	require.ErrorContains(t, err, lives, "it was heard within the limit")
	for _, state := range []string{"REBOOT", "BUILD", "SUSPENDED"} {
		w.serverIs(source, state)
		_, _, err = w.do("eject", source)
		require.ErrorContains(t, err, lives, state)
	}
	for _, state := range []string{"SHUTDOWN", "ERROR", "DELETED"} {
		w.serverIs(source, state)
		_, _, err = w.do("eject", source, dryRunHeader, "true")
		require.NoError(t, err, "by the provider's word, at once: %s", state)
	}
}

func TestASilentSourceIsEjectedAfterTheLimit(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy, func(c *api.Config) { c.EjectSilence = time.Nanosecond }).offering()
	source, replica := w.pair("demo")
	_, _, err := w.do("eject", source)
	assert.True(t, errs.IsReason(err, "SOURCE_LIVES"), "the monitor has not lost it: %v", err)
	w.silent(source)
	task := w.mustDo("eject", source)
	assert.Equal(t, []string{"EJECT", "EJECT"}, w.statuses(source, replica))
	claimed := w.claim(task.GetId())
	require.Len(t, claimed.GetMembers(), 1)
	assert.Equal(t, replica, claimed.GetMembers()[0].GetId())
	_, _, err = w.do("delete", source)
	assert.True(t, errs.IsReason(err, "SET_TURNING"), "%v", err)
}

func TestAReplicaThatIsBeingBuiltIsLeftOutOfAnEjection(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	source, replica := w.pair("demo")
	building := w.replicate("demo", source, "young").GetInstance().GetId()
	w.serverIs(source, "SHUTDOWN")
	w.mustDo("eject", source)
	assert.Equal(t, []string{"EJECT", "EJECT", "BUILD"}, w.statuses(source, replica, building))
}

func TestASourceIsDeletedAfterItsReplicas(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	source, replica := w.pair("demo")
	_, _, err := w.do("delete", source)
	require.ErrorContains(t, err, "Detach replicas before deleting replica source.")
	assert.Equal(t, errs.Forbidden, errs.From(err).Kind)
	building := w.replicate("demo", source, "young").GetTask()
	w.mustDo("delete", replica)
	_, _, err = w.do("delete", source)
	assert.True(t, errs.IsReason(err, "HAS_REPLICAS"), "one is still being made: %v", err)
	w.complete(building.GetId(), &journalv1.FinishTaskRequest{
		Outcome: journalv1.TaskOutcome_TASK_OUTCOME_FAILED, TaskStatus: "BUILDING_ERROR_REPLICA",
		Failure: &taskv1.TaskError{Code: "CUT", Step: "copy_source", Message: "cut"},
	})
	_, _, err = w.do("delete", source)
	assert.True(t, errs.IsReason(err, "HAS_REPLICAS"), "it failed, but it is there: %v", err)
	w.mustDo("delete", building.GetInstanceId())
	w.mustDo("delete", source)
	assert.Equal(t, []string{"SHUTDOWN", "SHUTDOWN"}, w.statuses(source, replica))
}

func TestAResetLetsAHalfTurnedSetGo(t *testing.T) {
	t.Parallel()
	w := newQuietWorld(t, roomy).offering()
	source, replica := w.pair("demo")
	task := w.mustDo("promote", replica)
	run := w.claim(task.GetId()).GetRun()
	_, _, err := w.do("reset status", source)
	require.NoError(t, err)
	assert.Equal(t, []string{"ACTIVE", "ACTIVE"}, w.statuses(source, replica))
	assert.Equal(t, "CANCELLED", w.task("demo", task.GetId()).GetStatus())
	_, err = w.journal().RenewLease(t.Context(), &journalv1.RenewLeaseRequest{Run: run})
	assert.True(t, errs.IsReason(err, "RUN_SUPERSEDED"), "%v", err)
}
