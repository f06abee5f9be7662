package workflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

func TestDeleteLeavesNothingWhateverBecomesOfTheRun(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal { return deleteTask(b.created(t)) },
		func(t *testing.T, b *bench, journal *flowtest.Journal) {
			assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
			assert.True(t, journal.End().GetDeleted())
			assert.Equal(t, nothing, b.cloud.Inventory())
		})
}

func TestDeleteStopsTheDatabaseInOrder(t *testing.T) {
	b := setup(t)
	journal := deleteTask(b.created(t))
	agent := b.cloud.Agent(instanceID)

	require.NoError(t, b.run(t, journal))

	assert.Equal(t, 1, agent.Acted("StopDatabase"))
}

func TestAGuestThatDoesNotAnswerKeepsNobodyFromDeleting(t *testing.T) {
	b := setup(t)
	journal := deleteTask(b.created(t))
	b.cloud.Agent(instanceID).Stop()

	require.NoError(t, b.run(t, journal))

	assert.True(t, journal.End().GetDeleted())
	assert.Contains(t, journal.Step("stop_database").GetMessage(), "Not stopped in order")
}

func TestWhatAFailedCreateLeftIsDeleted(t *testing.T) {
	b := setup(t)
	b.parts.KeepFailed = true
	b.cloud.FailNext("CreateServer", errBroken)
	failed := createTask()
	require.NoError(t, b.run(t, failed))
	require.NotEmpty(t, b.cloud.Inventory())
	journal := deleteTask(failed.Instance())

	require.NoError(t, b.run(t, journal))

	assert.True(t, journal.End().GetDeleted())
	assert.Equal(t, nothing, b.cloud.Inventory())
}

func TestADeleteThatFailsMayBeRepeated(t *testing.T) {
	for stepName, method := range map[string]string{
		"delete_server": "DeleteServer", "delete_volume": "DeleteVolume", "release_address": "ReleaseAddress",
	} {
		t.Run(stepName, func(t *testing.T) {
			b := setup(t)
			journal := deleteTask(b.created(t))
			b.cloud.FailNext(method, errBroken)

			require.NoError(t, b.run(t, journal))

			assertLeft(t, journal.End(), status.TaskDeletingError, stepName, "It is broken", "delete the instance again")
			assert.False(t, journal.End().GetDeleted())
			again := deleteTask(journal.Instance())
			require.NoError(t, b.run(t, again))
			assert.True(t, again.End().GetDeleted())
			assert.Equal(t, nothing, b.cloud.Inventory())
		})
	}
}

func TestNoStepOfADeleteCanBeCancelled(t *testing.T) {
	b := setup(t)
	journal := deleteTask(b.created(t))

	require.NoError(t, b.run(t, journal))

	for _, name := range []string{"stop_database", "delete_server", "leave_set", "delete_volume", "release_address"} {
		assert.False(t, journal.Step(name).GetCancellable(), name)
		assert.Equal(t, journalv1.StepStatus_STEP_STATUS_SUCCEEDED, journal.Step(name).GetStatus())
	}
}

func TestADeletedReplicaLeavesItsSource(t *testing.T) {
	for name, source := range map[string]func(b *bench, address string) addressBook{
		"that answers": func(_ *bench, address string) addressBook { return addressBook{sourceID: address} },
		"that is silent": func(b *bench, address string) addressBook {
			b.cloud.TakeDown(sourceID, "")
			return addressBook{sourceID: address}
		},
		"that is gone": func(*bench, string) addressBook { return addressBook{} },
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t)
			made := createTaskFor(sourceID)
			require.NoError(t, b.run(t, made))
			b.parts.Directory = source(b, made.Instance().GetGuestAddress())
			replica := b.created(t)
			replica.ReplicaOf = sourceID
			journal := deleteTask(replica)

			require.NoError(t, b.run(t, journal))

			assert.True(t, journal.End().GetDeleted())
			if name == "that answers" {
				assert.Equal(t, 1, b.cloud.Agent(sourceID).Acted("DismissReplica"))
			} else {
				assert.Contains(t, journal.Step("leave_set").GetMessage(), "Not dismissed by its source")
			}
		})
	}
}

const sourceID = "0b0e0d3c-9a6e-4b7c-8f5e-2f1d7c6b5a40"
