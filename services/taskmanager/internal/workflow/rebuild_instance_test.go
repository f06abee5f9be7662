package workflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

func TestAServerIsRebuiltWhateverBecomesOfTheRun(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal { return rebuildTask(b.created(t)) },
		func(t *testing.T, b *bench, journal *flowtest.Journal) {
			assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
			machine, _ := b.cloud.Machine(instanceID)
			assert.Equal(t, "image", machine.Image)
			assert.Equal(t, formerVersion, machine.Version)
			assert.Equal(t, string(status.ServiceHealthy), journal.Instance().GetServiceStatus())
			assert.Equal(t, everything, b.cloud.Inventory())
		})
}

func TestAServerThatIsDownIsRebuilt(t *testing.T) {
	b := setup(t)
	journal := rebuildTask(b.created(t))
	b.cloud.TakeDown(instanceID, "")

	require.NoError(t, b.run(t, journal))

	assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
	assert.Equal(t, string(status.ServerActive), journal.Instance().GetServerStatus())
}

func TestARebuildThatFailsKeepsTheData(t *testing.T) {
	b := setup(t)
	journal := rebuildTask(b.created(t))
	b.cloud.FailNext("RebuildServer", errBroken)

	require.NoError(t, b.run(t, journal))

	assertLeft(t, journal.End(), status.TaskNone, "rebuild_server", "It is broken", "the data are kept")
	assert.Equal(t, string(status.ServiceHealthy), journal.Instance().GetServiceStatus())
	assert.Equal(t, everything, b.cloud.Inventory())
}
