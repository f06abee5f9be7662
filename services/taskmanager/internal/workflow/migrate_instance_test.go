package workflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

func TestAServerIsMigratedWhateverBecomesOfTheRun(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal { return migrateTask(b.created(t)) },
		func(t *testing.T, b *bench, journal *flowtest.Journal) {
			assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
			assert.Positive(t, b.cloud.Made("MigrateServer elsewhere"))
			assert.Equal(t, string(status.ServiceHealthy), journal.Instance().GetServiceStatus())
		})
}

func TestAMigrationThatIsRefusedLeavesTheDatabaseRunning(t *testing.T) {
	b := setup(t)
	journal := migrateTask(b.created(t))
	b.cloud.FailNext("MigrateServer", errBroken)

	require.NoError(t, b.run(t, journal))

	assertLeft(t, journal.End(), status.TaskNone, "migrate_server", "It is broken")
	assert.Equal(t, string(status.ServiceHealthy), journal.Instance().GetServiceStatus())
}
