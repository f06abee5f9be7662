package workflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

func TestRestartHappensOnceWhateverBecomesOfTheRun(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal { return restartTask(b.created(t)) },
		func(t *testing.T, b *bench, journal *flowtest.Journal) {
			assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
			assert.Equal(t, string(status.TaskNone), journal.End().GetTaskStatus())
			assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted("RestartDatabase"))
		})
}

func TestARestartWhoseAnswerIsLostHappensOnce(t *testing.T) {
	b := setup(t)
	journal := restartTask(b.created(t))
	b.cloud.Agent(instanceID).LoseNext("RestartDatabase")
	b.cloud.Agent(instanceID).LoseNext("RestartDatabase")

	require.NoError(t, b.run(t, journal))

	assert.Equal(t, succeeded, journal.End().GetOutcome())
	assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted("RestartDatabase"))
	assert.EqualValues(t, 3, journal.Step("restart_database").GetAttempt())
}

func TestARestartThatFailsLeavesTheInstanceUsableWithAFault(t *testing.T) {
	for stepName, method := range map[string]string{
		"check_guest": "GetStatus", "restart_database": "RestartDatabase", "await_healthy": "WatchStatus",
	} {
		t.Run(stepName, func(t *testing.T) {
			b := setup(t)
			journal := restartTask(b.created(t))
			b.cloud.Agent(instanceID).FailNext(method, errBroken)

			require.NoError(t, b.run(t, journal))

			assertLeft(t, journal.End(), status.TaskNone, stepName, "It is broken")
			assert.Equal(t, everything, b.cloud.Inventory())
		})
	}
}

func TestARestartWaitsForTheFirstHealthyAnswer(t *testing.T) {
	b := setup(t)
	journal := restartTask(b.created(t))
	agent := b.cloud.Agent(instanceID)
	journal.OnWrite(func(write string) {
		switch write {
		case "check_guest=SUCCEEDED,restart_database=RUNNING":
			agent.LoseNext("RestartDatabase")
		case "restart_database=SUCCEEDED,await_healthy=RUNNING":
			agent.Become(status.ServiceCrashed, "")
			go agent.Become(status.ServiceHealthy, "")
		}
	})

	require.NoError(t, b.run(t, journal))

	assert.Equal(t, succeeded, journal.End().GetOutcome())
	assert.Equal(t, string(status.ServiceHealthy), journal.Instance().GetServiceStatus())
}

func TestADeleteThatWaitsEndsARestart(t *testing.T) {
	b := setup(t)
	journal := restartTask(b.created(t))
	journal.OnWrite(func(write string) {
		if write == "check_guest=SUCCEEDED,restart_database=RUNNING" {
			journal.Stop(journalv1.StopMode_STOP_MODE_ABANDON)
		}
	})

	require.NoError(t, b.run(t, journal))

	assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED, journal.End().GetOutcome())
	assert.Zero(t, b.cloud.Agent(instanceID).Acted("RestartDatabase"))
}

func TestADatabaseThatWasNeverPreparedIsNotRestarted(t *testing.T) {
	b := setup(t)
	journal := restartTask(b.created(t))
	b.cloud.Agent(instanceID).Become(status.ServiceNew, "")

	require.NoError(t, b.run(t, journal))

	assertLeft(t, journal.End(), status.TaskNone, "check_guest", "no database yet")
}
