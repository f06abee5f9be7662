package workflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

func TestAFlavorIsResizedWhateverBecomesOfTheRun(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal { return resizeFlavorTask(b.created(t)) },
		func(t *testing.T, b *bench, journal *flowtest.Journal) {
			assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
			assert.Equal(t, larger, journal.Instance().GetFlavor().GetRam())
			assertSized(t, b, larger)
			agent := b.cloud.Agent(instanceID)
			for _, once := range []string{"StopDatabase", "ConfigureDatabase", "StartDatabase"} {
				assert.Equal(t, 1, agent.Acted(once), once)
			}
		})
}

func assertSized(t *testing.T, b *bench, ram int32) {
	t.Helper()
	machine, _ := b.cloud.Machine(instanceID)
	assert.EqualValues(t, ram, machine.Flavor.RAM, "the server's size")
	assert.Equal(t, ram, b.cloud.Agent(instanceID).Memory(), "the database's settings")
	assert.False(t, b.cloud.Unconfirmed(instanceID))
	seen, err := b.status(t)
	require.NoError(t, err)
	assert.Equal(t, string(status.ServiceHealthy), seen.GetServiceStatus())
}

// TestAResizeThatFailsBringsTheFormerFlavorBack fails each step, and lets the run that undoes it die at each of its writes.
func TestAResizeThatFailsBringsTheFormerFlavorBack(t *testing.T) {
	for stepName, fails := range map[string]func(b *bench){
		"stop_database":      func(b *bench) { b.cloud.Agent(instanceID).FailNext("StopDatabase", errBroken) },
		"resize_server":      func(b *bench) { b.cloud.FailNext("ResizeServer", errBroken) },
		"configure_database": func(b *bench) { b.cloud.Agent(instanceID).FailNext("ConfigureDatabase", errBroken) },
		"start_database":     func(b *bench) { b.cloud.Agent(instanceID).FailNext("StartDatabase", errBroken) },
		"await_healthy":      func(b *bench) { b.cloud.Agent(instanceID).FailNext("WatchStatus", errBroken) },
		"confirm_resize":     func(b *bench) { b.cloud.FailNext("ConfirmResize", errBroken) },
	} {
		t.Run(stepName, func(t *testing.T) {
			everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal {
				journal := resizeFlavorTask(b.created(t))
				fails(b)
				return journal
			}, func(t *testing.T, b *bench, journal *flowtest.Journal) {
				if journal.End().GetOutcome() == succeeded {
					return // it died with the answer, and the next run had no other
				}
				assertLeft(t, journal.End(), status.TaskNone, stepName, "It is broken", "the former flavor is kept")
				assert.Equal(t, former, journal.Instance().GetFlavor().GetRam())
				assertSized(t, b, former)
				assert.Equal(t, everything, b.cloud.Inventory())
			})
		})
	}
}

func TestAGuestThatTheLargerServerHasLostGetsItsFormerSettingsOnTheFormerOne(t *testing.T) {
	b := setup(t)
	b.hurry()
	journal := resizeFlavorTask(b.created(t))
	journal.OnWrite(func(write string) {
		if write == "configure_database=SUCCEEDED,start_database=RUNNING" {
			b.cloud.TakeDown(instanceID, "it does not boot")
		}
	})

	require.NoError(t, b.run(t, journal))

	assertLeft(t, journal.End(), status.TaskNone, "start_database", "it does not boot")
	assertSized(t, b, former)
}

func TestACancelledResizeLeavesTheDatabaseRunning(t *testing.T) {
	b := setup(t)
	journal := resizeFlavorTask(b.created(t))
	journal.OnWrite(func(write string) {
		if write == "stop_database=SUCCEEDED,resize_server=RUNNING" {
			journal.Stop(journalv1.StopMode_STOP_MODE_UNDO)
		}
	})

	require.NoError(t, b.run(t, journal))

	assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED, journal.End().GetOutcome())
	assertSized(t, b, former)
}

func TestAResizeOfASilentGuestChangesNothing(t *testing.T) {
	b := setup(t)
	journal := resizeFlavorTask(b.created(t))
	b.cloud.TakeDown(instanceID, "")

	require.NoError(t, b.run(t, journal))

	assertLeft(t, journal.End(), status.TaskNone, "check_guest", "The server is down")
	assert.Zero(t, b.cloud.Made("ResizeServer"))
}
