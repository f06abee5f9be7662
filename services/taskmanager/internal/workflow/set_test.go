package workflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

const (
	replicaID = "7c0d6a52-3f1b-4c1a-8f55-0d8f6a1f2b01"
	otherID   = "9e21f3c8-6d7e-4f0b-9a3c-5b7c8d9e0f02"
)

func createReplicaTask(id string) *flowtest.Journal {
	return flowtest.New(&commandv1.Command{
		TaskId: "create " + id, InstanceId: id,
		Action: &commandv1.Command_CreateReplica{CreateReplica: &commandv1.CreateReplica{
			SourceId:         instanceID,
			DatastoreVersion: &commandv1.DatastoreVersion{Manager: "mariadb", Name: "10.11", Version: formerVersion},
			Flavor:           &commandv1.Flavor{Id: "1", Name: "db.tiny", Ram: former}, VolumeSize: 1,
		}},
	}, &journalv1.Instance{Id: id, Name: "copy", ReplicaOf: instanceID})
}

// set is a source with two replicas and a row; the tests' rule is that at no time two of them can be written.
type set struct {
	source, replica, other *journalv1.Instance
}

func (b *bench) withSet(t *testing.T) set {
	t.Helper()
	source := described(b.created(t))
	b.parts.Directory = addressBook{instanceID: source.GetGuestAddress()}
	require.NoError(t, b.cloud.Agent(instanceID).Commit("first"))
	replicated := func(id string) *journalv1.Instance {
		journal := createReplicaTask(id)
		b.toTheEnd(t, journal)
		require.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
		return described(journal.Instance())
	}
	return set{source: source, replica: replicated(replicaID), other: replicated(otherID)}
}

// guarded fails the test when two databases can be written at a write of the journal.
func (b *bench) guarded(t *testing.T, journal *flowtest.Journal) *flowtest.Journal {
	journal.OnWrite(func(write string) {
		assert.LessOrEqual(t, len(b.cloud.Databases().Writable()), 1, "writable at %s", write)
	})
	return journal
}

func TestAReplicaIsMadeWhateverBecomesOfTheRun(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal {
		source := b.created(t)
		b.parts.Directory = addressBook{instanceID: source.GetGuestAddress()}
		require.NoError(t, b.cloud.Agent(instanceID).Commit("first"))
		return b.guarded(t, createReplicaTask(replicaID))
	}, func(t *testing.T, b *bench, journal *flowtest.Journal) {
		require.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
		assert.Equal(t, string(status.TaskNone), journal.End().GetTaskStatus())
		require.NoError(t, b.cloud.Agent(instanceID).Commit("second"))
		assert.Equal(t, []string{"first", "second"}, b.cloud.Agent(replicaID).Rows())
	})
}

func TestACopyThatIsCutStartsOver(t *testing.T) {
	b := setup(t)
	source := b.created(t)
	b.parts.Directory = addressBook{instanceID: source.GetGuestAddress()}
	journal := createReplicaTask(replicaID)
	journal.OnWrite(func(write string) {
		if write == "enrol_guest=SUCCEEDED,copy_source=RUNNING" {
			b.cloud.Agent(replicaID).FailNext("PrepareReplica", errAway)
		}
	})
	b.toTheEnd(t, journal)
	assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
	assert.Equal(t, 2, b.cloud.Agent(instanceID).Acted("AdmitReplica"))
}

func TestAReplicaThatCannotBeMadeLeavesNothing(t *testing.T) {
	b := setup(t)
	source := b.created(t)
	b.parts.Directory = addressBook{instanceID: source.GetGuestAddress()}
	before := b.cloud.Inventory()
	journal := createReplicaTask(replicaID)
	journal.OnWrite(func(write string) {
		if write == "enrol_guest=SUCCEEDED,copy_source=RUNNING" {
			b.cloud.Agent(replicaID).FailNext("PrepareReplica", errBroken)
		}
	})
	b.toTheEnd(t, journal)
	assertLeft(t, journal.End(), status.TaskBuildingErrorReplica, "copy_source", "It is broken")
	assert.Equal(t, before, b.cloud.Inventory())
	assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted("DismissReplica"))
}

func promoteTask(s set) *flowtest.Journal {
	return flowtest.New(&commandv1.Command{
		TaskId: "promote", InstanceId: replicaID,
		Action: &commandv1.Command_PromoteToReplicaSource{PromoteToReplicaSource: &commandv1.PromoteToReplicaSource{}},
	}, s.replica, s.source, s.other)
}

// assertTurned checks that the replica is the one source, with all rows, and that the others follow it.
func assertTurned(t *testing.T, b *bench, journal *flowtest.Journal) {
	t.Helper()
	require.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
	assert.Empty(t, journal.Instance().GetReplicaOf())
	assert.Equal(t, replicaID, journal.Member(instanceID).GetReplicaOf())
	assert.Equal(t, replicaID, journal.Member(otherID).GetReplicaOf())
	assert.Equal(t, []string{replicaID}, b.cloud.Databases().Writable())
	require.NoError(t, b.cloud.Agent(replicaID).Commit("last"))
	for _, id := range []string{instanceID, replicaID, otherID} {
		assert.Equal(t, []string{"first", "last"}, b.cloud.Agent(id).Rows(), id)
	}
	assert.Empty(t, journal.End().GetMembers(), "nobody is left behind")
}

func TestAReplicaIsPromotedWhateverBecomesOfTheRun(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal {
		return b.guarded(t, promoteTask(b.withSet(t)))
	}, assertTurned)
}

func TestAPromotionGoesOnWhateverAnswerIsLost(t *testing.T) {
	for _, lost := range []struct{ agent, method string }{
		{instanceID, "Freeze"}, {replicaID, "Promote"}, {replicaID, "AdmitReplica"}, {otherID, "FollowSource"}, {instanceID, "FollowSource"},
	} {
		t.Run(lost.method, func(t *testing.T) {
			b := setup(t)
			journal := b.guarded(t, promoteTask(b.withSet(t)))
			b.cloud.Agent(lost.agent).LoseNext(lost.method)
			b.toTheEnd(t, journal)
			assertTurned(t, b, journal)
		})
	}
}

// TestAPromotionThatFailsBeforeItsReturnLeavesTheSetAsItWas fails each step, and lets the run that undoes it die at each
// of its writes.
func TestAPromotionThatFailsBeforeItsReturnLeavesTheSetAsItWas(t *testing.T) {
	for name, fails := range map[string]func(b *bench){
		"the source cannot be frozen": func(b *bench) { b.cloud.Agent(instanceID).FailNext("Freeze", errBroken) },
		"the replica never catches up": func(b *bench) {
			b.cloud.Agent(replicaID).FailNext("AwaitPosition", nil)
			b.cloud.Agent(replicaID).FailNext("AwaitPosition", errBroken)
		},
		"the replica does not answer": func(b *bench) { b.cloud.Agent(replicaID).FailNext("GetReplication", errBroken) },
	} {
		t.Run(name, func(t *testing.T) {
			everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal {
				journal := b.guarded(t, promoteTask(b.withSet(t)))
				fails(b)
				return journal
			}, func(t *testing.T, b *bench, journal *flowtest.Journal) {
				if journal.End().GetOutcome() == succeeded {
					assertTurned(t, b, journal)
					return // it died with the answer, and the next run had no other
				}
				assertLeft(t, journal.End(), status.TaskNone, "the set is as it was")
				assert.Equal(t, instanceID, journal.Instance().GetReplicaOf())
				assert.Equal(t, []string{instanceID}, b.cloud.Databases().Writable())
				require.NoError(t, b.cloud.Agent(instanceID).Commit("on"))
				assert.Equal(t, []string{"first", "on"}, b.cloud.Agent(replicaID).Rows())
			})
		})
	}
}

func TestAMemberThatCannotFollowIsLeftByItself(t *testing.T) {
	b := setup(t)
	journal := promoteTask(b.withSet(t))
	b.cloud.Agent(otherID).FailNext("FollowSource", errBroken)
	b.toTheEnd(t, journal)
	require.Equal(t, succeeded, journal.End().GetOutcome())
	left := journal.End().GetMembers()
	require.Len(t, left, 1)
	assert.Equal(t, string(status.TaskPromotionError), left[otherID].GetTaskStatus())
	assert.Contains(t, left[otherID].GetFault().GetMessage(), "It is broken")
	assert.Equal(t, replicaID, journal.Member(instanceID).GetReplicaOf())
}

func ejectTask(s set) *flowtest.Journal {
	return flowtest.New(&commandv1.Command{
		TaskId: "eject", InstanceId: instanceID,
		Action: &commandv1.Command_EjectReplicaSource{EjectReplicaSource: &commandv1.EjectReplicaSource{}},
	}, s.source, s.replica, s.other)
}

// dying is a set whose source dies with a row that only the other replica has received.
func dying(b *bench, t *testing.T) *flowtest.Journal {
	s := b.withSet(t)
	b.cloud.Agent(replicaID).Hold(true)
	require.NoError(t, b.cloud.Agent(instanceID).Commit("late"))
	b.cloud.TakeDown(instanceID, "")
	b.cloud.Agent(replicaID).Hold(false)
	return b.guarded(t, ejectTask(s))
}

func TestADeadSourceIsReplacedByTheMostAdvancedReplica(t *testing.T) {
	everyDeath(t, dying, func(t *testing.T, b *bench, journal *flowtest.Journal) {
		require.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
		assert.True(t, journal.Instance().GetFenced())
		assert.Empty(t, journal.Instance().GetReplicaOf())
		assert.Contains(t, journal.End().GetFault().GetMessage(), "was ejected")
		assert.Contains(t, journal.End().GetFault().GetDetails(), otherID)
		assert.Empty(t, journal.Member(otherID).GetReplicaOf())
		assert.Equal(t, otherID, journal.Member(replicaID).GetReplicaOf())
		assert.Equal(t, []string{otherID}, b.cloud.Databases().Writable())
		assert.Equal(t, []string{"first", "late"}, b.cloud.Agent(replicaID).Rows())
		_, off := b.cloud.Machine(instanceID)
		assert.True(t, off, "the fence holds")
	})
}

func TestALivingSourceIsNotEjected(t *testing.T) {
	b := setup(t)
	journal := ejectTask(b.withSet(t))
	b.toTheEnd(t, journal)
	assertLeft(t, journal.End(), status.TaskNone, "check_dead", "heartbeat", "the set is as it was")
	assert.Equal(t, []string{instanceID}, b.cloud.Databases().Writable())
}

func TestASourceWithoutAReplicaThatAnswersGetsItsServerBack(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal {
		journal := dying(b, t)
		journal.OnWrite(func(write string) {
			if write == "fence_source=SUCCEEDED,elect=RUNNING" {
				b.cloud.Agent(replicaID).FailNext("GetReplication", errBroken)
				b.cloud.Agent(otherID).FailNext("GetReplication", errBroken)
				journal.Elapsed(3 * 60 * 60 * 1e9)
			}
		})
		return journal
	}, func(t *testing.T, b *bench, journal *flowtest.Journal) {
		assert.NotNil(t, journal.End())
		assert.LessOrEqual(t, len(b.cloud.Databases().Writable()), 1)
	})
}

func TestAReplicaIsDetachedWhateverBecomesOfTheRun(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal {
		return taskOn(b.withSet(t).replica, &commandv1.Command{
			TaskId: "detach", Action: &commandv1.Command_DetachReplica{DetachReplica: &commandv1.DetachReplica{}},
		})
	}, func(t *testing.T, b *bench, journal *flowtest.Journal) {
		require.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
		assert.Empty(t, journal.Instance().GetReplicaOf())
		require.NoError(t, b.cloud.Agent(instanceID).Commit("there"))
		require.NoError(t, b.cloud.Agent(replicaID).Commit("here"))
		assert.Equal(t, []string{"first", "here"}, b.cloud.Agent(replicaID).Rows())
		assert.Positive(t, b.cloud.Agent(instanceID).Acted("DismissReplica"))
	})
}
