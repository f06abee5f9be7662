package workflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

func TestAVolumeIsResizedOnceWhateverBecomesOfTheRun(t *testing.T) {
	everyDeath(t, func(b *bench, t *testing.T) *flowtest.Journal { return resizeVolumeTask(b.created(t)) },
		func(t *testing.T, b *bench, journal *flowtest.Journal) {
			assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
			assert.EqualValues(t, 3, journal.Instance().GetVolumeSize())
			assert.Equal(t, 1, b.cloud.Made("ExtendVolume"))
			assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted("GrowVolume"))
			assert.Zero(t, b.cloud.Agent(instanceID).Acted("StopDatabase"), "it grows in use")
		})
}

func TestAVolumeThatCouldNotBeExtendedKeepsItsSize(t *testing.T) {
	b := setup(t)
	journal := resizeVolumeTask(b.created(t))
	b.cloud.FailNext("ExtendVolume", errBroken)

	require.NoError(t, b.run(t, journal))

	assertLeft(t, journal.End(), status.TaskNone, "extend_volume", "It is broken")
	assert.EqualValues(t, 1, journal.Instance().GetVolumeSize())
}

func TestAVolumeWhoseFileSystemCouldNotGrowShowsTheSizeThatItHas(t *testing.T) {
	b := setup(t)
	journal := resizeVolumeTask(b.created(t))
	b.cloud.Agent(instanceID).FailNext("GrowVolume", errBroken)

	require.NoError(t, b.run(t, journal))

	assertLeft(t, journal.End(), status.TaskNone, "grow_file_system", "It is broken", "resize it again")
	assert.EqualValues(t, 3, journal.Instance().GetVolumeSize())
}

func TestAMachineThatDoesNotSeeItsVolumesNewSizeIsRestarted(t *testing.T) {
	b := setup(t)
	journal := resizeVolumeTask(b.created(t))
	b.cloud.Agent(instanceID).FailNext("GrowVolume", errs.New(errs.Unsupported, "VOLUME_NOT_GROWN", "It sees 1024 MiB."))

	require.NoError(t, b.run(t, journal))

	assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
	assert.Equal(t, 1, b.cloud.Made("RebootServer hard=true"))
	assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted("StopDatabase"))
	assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted("GrowVolume"))
	assert.EqualValues(t, 3, journal.Instance().GetVolumeSize())
}

func TestAMachineThatTakesLongToRestartIsRestartedOnce(t *testing.T) {
	b := setup(t)
	journal := resizeVolumeTask(b.created(t))
	agent := b.cloud.Agent(instanceID)
	agent.FailNext("GrowVolume", errs.New(errs.Unsupported, "VOLUME_NOT_GROWN", "It sees 1024 MiB."))
	for range 5 {
		agent.FailNext("StartDatabase", errs.New(errs.Unavailable, "GUEST_UNREACHABLE", "It does not answer yet."))
	}

	require.NoError(t, b.run(t, journal))

	assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
	assert.Equal(t, 1, b.cloud.Made("RebootServer hard=true"))
}
