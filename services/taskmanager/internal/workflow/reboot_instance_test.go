package workflow_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

func TestAServerIsRebootedWhateverBecomesOfTheRun(t *testing.T) {
	for _, hard := range []bool{false, true} {
		t.Run(fmt.Sprintf("hard=%t", hard), func(t *testing.T) {
			everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal { return rebootTask(b.created(t), hard) },
				func(t *testing.T, b *bench, journal *flowtest.Journal) {
					assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
					assert.Positive(t, b.cloud.Made(fmt.Sprintf("RebootServer hard=%t", hard)))
					assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted("StopDatabase"))
					assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted("StartDatabase"))
					assert.Equal(t, string(status.ServiceHealthy), journal.Instance().GetServiceStatus())
				})
		})
	}
}

func TestAServerIsRebootedThatIsDownOrWhoseDatabaseDoesNotStop(t *testing.T) {
	for name, breaks := range map[string]func(b *bench){
		"the server is down":           func(b *bench) { b.cloud.TakeDown(instanceID, "") },
		"the guest is silent":          func(b *bench) { b.cloud.Agent(instanceID).Stop() },
		"the database has crashed":     func(b *bench) { b.cloud.Agent(instanceID).Become(status.ServiceCrashed, "") },
		"the database cannot be ended": func(b *bench) { b.cloud.Agent(instanceID).FailNext("StopDatabase", errBroken) },
	} {
		for _, hard := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/hard=%t", name, hard), func(t *testing.T) {
				b := setup(t)
				journal := rebootTask(b.created(t), hard)
				breaks(b)

				require.NoError(t, b.run(t, journal))

				assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
				assert.Equal(t, string(status.ServerActive), journal.Instance().GetServerStatus())
				assert.Equal(t, string(status.ServiceHealthy), journal.Instance().GetServiceStatus())
			})
		}
	}
}

func TestARebootThatFailsStartsTheDatabaseAgain(t *testing.T) {
	b := setup(t)
	journal := rebootTask(b.created(t), false)
	b.cloud.FailNext("RebootServer", errBroken)

	require.NoError(t, b.run(t, journal))

	assertLeft(t, journal.End(), status.TaskNone, "reboot_server", "It is broken", "reboot again")
	assert.Equal(t, string(status.ServiceHealthy), journal.Instance().GetServiceStatus())
}

func TestAServerThatIsSwitchedOffIsNotRebooted(t *testing.T) {
	b := setup(t)
	instance := b.created(t)
	require.NoError(t, b.cloud.StopServer(t.Context(), instanceID))
	journal := rebootTask(instance, true)

	require.NoError(t, b.run(t, journal))

	assertLeft(t, journal.End(), status.TaskNone, "reboot_server", "The server is switched off")
	_, off := b.cloud.Machine(instanceID)
	assert.True(t, off)
}
