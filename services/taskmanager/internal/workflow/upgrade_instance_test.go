package workflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

func TestAnInstanceIsUpgradedWhateverBecomesOfTheRun(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal { return upgradeTask(b.created(t)) },
		func(t *testing.T, b *bench, journal *flowtest.Journal) {
			assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
			assert.Equal(t, newVersion, journal.Instance().GetDatastoreVersion().GetVersion())
			assertVersion(t, b, newVersion)
			for _, once := range []string{"PrepareUpgrade", "UpgradeDatabase", "FinishUpgrade"} {
				assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted(once), once)
			}
			assert.Zero(t, b.cloud.Agent(instanceID).Acted("RevertUpgrade"))
		})
}

func assertVersion(t *testing.T, b *bench, version string) {
	t.Helper()
	machine, _ := b.cloud.Machine(instanceID)
	assert.Equal(t, version, machine.Version)
	seen, err := b.status(t)
	require.NoError(t, err)
	assert.Equal(t, string(status.ServiceHealthy), seen.GetServiceStatus())
}

// TestAnUpgradeThatFailsBringsTheFormerVersionBack fails each step, and lets the run die at each of its writes besides.
func TestAnUpgradeThatFailsBringsTheFormerVersionBack(t *testing.T) {
	for stepName, fails := range map[string]func(b *bench){
		"prepare_upgrade":  func(b *bench) { b.cloud.Agent(instanceID).FailNext("PrepareUpgrade", errBroken) },
		"rebuild_server":   func(b *bench) { b.cloud.FailNext("RebuildServer", errBroken) },
		"upgrade_database": func(b *bench) { b.cloud.Agent(instanceID).FailNext("UpgradeDatabase", errBroken) },
		"await_healthy":    func(b *bench) { b.cloud.Agent(instanceID).FailNext("WatchStatus", errBroken) },
	} {
		t.Run(stepName, func(t *testing.T) {
			everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal {
				journal := upgradeTask(b.created(t))
				fails(b)
				return journal
			}, func(t *testing.T, b *bench, journal *flowtest.Journal) {
				if journal.End().GetOutcome() == succeeded {
					return // it died with the answer, and the next run had no other
				}
				assertLeft(t, journal.End(), status.TaskNone, stepName, "It is broken")
				assert.Equal(t, formerVersion, journal.Instance().GetDatastoreVersion().GetVersion())
				assertVersion(t, b, formerVersion)
				assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted("RevertUpgrade"))
				assert.Zero(t, b.cloud.Agent(instanceID).Acted("FinishUpgrade"))
			})
		})
	}
}

func TestAnUpgradeIsNotTakenBackOnceTheNewVersionHasAnswered(t *testing.T) {
	b := setup(t)
	journal := upgradeTask(b.created(t))
	b.cloud.Agent(instanceID).FailNext("FinishUpgrade", flow.Terminal("STUCK", errBroken))
	b.cloud.Agent(instanceID).FailNext("FinishUpgrade", errBroken)

	require.NoError(t, b.run(t, journal))

	assert.Equal(t, succeeded, journal.End().GetOutcome(), "what fails behind the point of no return is tried again")
	assertVersion(t, b, newVersion)
}

func TestAnUpgradeCanBeCancelledUntilTheNewVersionHasAnswered(t *testing.T) {
	b := setup(t)
	journal := upgradeTask(b.created(t))
	journal.OnWrite(func(write string) {
		if write == "enrol_guest=SUCCEEDED,upgrade_database=RUNNING" {
			journal.Stop(journalv1.StopMode_STOP_MODE_UNDO)
		}
	})

	require.NoError(t, b.run(t, journal))

	assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED, journal.End().GetOutcome())
	assertVersion(t, b, formerVersion)
}
