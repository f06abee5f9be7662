package workflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

func TestADatabaseIsStoppedOnceWhateverBecomesOfTheRun(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal { return stopTask(b.created(t)) },
		func(t *testing.T, b *bench, journal *flowtest.Journal) {
			assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
			assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted("StopDatabase"))
			assert.Equal(t, string(status.ServiceShutdown), journal.Instance().GetServiceStatus())
		})
}

func TestADatabaseThatWasStoppedRunsAgainAfterARestart(t *testing.T) {
	b := setup(t)
	stopped := stopTask(b.created(t))
	require.NoError(t, b.run(t, stopped))
	restart := restartTask(stopped.Instance())

	require.NoError(t, b.run(t, restart))

	assert.Equal(t, string(status.ServiceHealthy), restart.Instance().GetServiceStatus())
}

func TestAStopThatFailsLeavesAFault(t *testing.T) {
	b := setup(t)
	journal := stopTask(b.created(t))
	b.cloud.Agent(instanceID).FailNext("StopDatabase", errBroken)

	require.NoError(t, b.run(t, journal))

	assertLeft(t, journal.End(), status.TaskNone, "stop_database", "It is broken")
}
