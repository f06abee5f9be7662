package workflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

func TestCreateMakesAHealthyDatabaseWithItsUsers(t *testing.T) {
	b := setup(t)
	journal := createTask()

	require.NoError(t, b.run(t, journal))

	end := journal.End()
	assert.Equal(t, succeeded, end.GetOutcome())
	assert.Equal(t, string(status.TaskNone), end.GetTaskStatus())
	assert.Equal(t, everything, b.cloud.Inventory())
	instance := journal.Instance()
	assert.Equal(t, "server-"+instanceID, instance.GetServerId())
	assert.Equal(t, "volume-"+instanceID, instance.GetVolumeId())
	assert.Equal(t, "ACTIVE", instance.GetServerStatus())
	assert.Equal(t, string(status.ServiceHealthy), instance.GetServiceStatus())
	assert.Equal(t, "127.0.0.1", instance.GetAddresses()[0].GetAddress())
	prepared := b.cloud.Agent(instanceID).Prepared()
	assert.Equal(t, "hunter2", prepared.GetUsers()[0].GetPassword())
	assert.Equal(t, []string{"shop"}, prepared.GetUsers()[0].GetDatabases())
	assert.EqualValues(t, 512, prepared.GetRam())
	assert.Empty(t, journal.Secrets())
}

func TestCreateSurvivesADeathAtAnyWrite(t *testing.T) {
	everyDeath(t, func(*bench, *testing.T) *flowtest.Journal { return createTask() },
		func(t *testing.T, b *bench, journal *flowtest.Journal) {
			assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
			assert.Equal(t, everything, b.cloud.Inventory())
			for _, method := range []string{"AllocateAddress", "CreateVolume", "CreateServer"} {
				assert.Equal(t, 1, b.cloud.Made(method), method)
			}
			for _, method := range []string{"Enroll", "Prepare"} {
				assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted(method), method)
			}
		})
}

func TestACreateThatFailsGivesBackWhatItTookAndSaysWhy(t *testing.T) {
	for stepName, c := range map[string]struct {
		method string
		left   status.Task
	}{
		"allocate_address": {"AllocateAddress", status.TaskBuildingErrorPort},
		"create_volume":    {"CreateVolume", status.TaskBuildingErrorVolume},
		"create_server":    {"CreateServer", status.TaskBuildingErrorServer},
	} {
		t.Run(stepName, func(t *testing.T) {
			b := setup(t)
			b.cloud.FailNext(c.method, errBroken)
			journal := createTask()

			require.NoError(t, b.run(t, journal))

			assertLeft(t, journal.End(), c.left, stepName, "It is broken", "delete the instance")
			assert.Equal(t, nothing, b.cloud.Inventory())
			assert.Empty(t, journal.Instance().GetServerId())
			assert.Empty(t, journal.Instance().GetGuestAddress())
		})
	}
}

func TestACreateWhoseGuestFailsGivesBackWhatItTook(t *testing.T) {
	for stepName, method := range map[string]string{"enrol_guest": "Enroll", "prepare_database": "Prepare"} {
		t.Run(stepName, func(t *testing.T) {
			b := setup(t)
			journal := createTask()
			journal.OnWrite(func(string) {
				if agent := b.cloud.Agent(instanceID); agent != nil && journal.Step(stepName).GetStatus() == journalv1.StepStatus_STEP_STATUS_RUNNING {
					agent.FailNext(method, errBroken)
				}
			})

			require.NoError(t, b.run(t, journal))

			assertLeft(t, journal.End(), status.TaskBuildingErrorTimeout, stepName, "It is broken")
			assert.Equal(t, nothing, b.cloud.Inventory())
		})
	}
}

func TestACreateOutlastsWhatPasses(t *testing.T) {
	b := setup(t)
	for _, method := range []string{"AllocateAddress", "CreateVolume", "CreateServer"} {
		b.cloud.FailNext(method, errAway)
	}
	journal := createTask()
	journal.OnWrite(func(string) {
		if agent := b.cloud.Agent(instanceID); agent != nil && agent.Acted("Enroll") == 0 {
			agent.LoseNext("Enroll")
			agent.LoseNext("Prepare")
		}
	})

	require.NoError(t, b.run(t, journal))

	assert.Equal(t, succeeded, journal.End().GetOutcome(), journal.End())
	assert.Equal(t, 1, b.cloud.Agent(instanceID).Acted("Prepare"))
}

func TestACancelledCreateGivesBackWhatItTook(t *testing.T) {
	b := setup(t)
	journal := createTask()
	journal.OnWrite(func(write string) {
		if write == "enrol_guest=SUCCEEDED,prepare_database=RUNNING" {
			journal.Stop(journalv1.StopMode_STOP_MODE_UNDO)
		}
	})

	require.NoError(t, b.run(t, journal))

	assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED, journal.End().GetOutcome())
	assert.Contains(t, journal.End().GetFault().GetMessage(), "cancelled")
	assert.Equal(t, nothing, b.cloud.Inventory())
}

func TestAFailedCreateIsKeptWhereTheOperatorWantsToLook(t *testing.T) {
	b := setup(t)
	b.parts.KeepFailed = true
	b.cloud.FailNext("CreateServer", errBroken)
	journal := createTask()

	require.NoError(t, b.run(t, journal))

	assertLeft(t, journal.End(), status.TaskBuildingErrorServer)
	assert.Equal(t, []string{"address of " + instanceID, "volume of " + instanceID}, b.cloud.Inventory())
}

func TestAFailedCreateSurvivesADeathAtAnyWrite(t *testing.T) {
	everyDeath(t, func(b *bench, _ *testing.T) *flowtest.Journal {
		b.cloud.FailNext("CreateServer", errBroken)
		b.cloud.FailNext("CreateServer", errBroken)
		return createTask()
	}, func(t *testing.T, b *bench, journal *flowtest.Journal) {
		assertLeft(t, journal.End(), status.TaskBuildingErrorServer, "create_server")
		assert.Equal(t, nothing, b.cloud.Inventory())
	})
}
