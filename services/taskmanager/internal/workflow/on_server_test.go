package workflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
)

func TestACreateWhoseServerGoesDownFailsWithTheServersFault(t *testing.T) {
	for stepName, before := range map[string]string{
		"enrol_guest":      "create_server=SUCCEEDED,enrol_guest=RUNNING",
		"prepare_database": "enrol_guest=SUCCEEDED,prepare_database=RUNNING",
		"await_healthy":    "prepare_database=SUCCEEDED,await_healthy=RUNNING",
	} {
		t.Run(stepName, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			journal := createTask()
			journal.OnWrite(func(write string) {
				if write == before {
					b.cloud.TakeDown(instanceID, "the disk is made of cheese")
				}
			})

			require.NoError(t, b.run(t, journal))

			assertLeft(t, journal.End(), status.TaskBuildingErrorTimeout, stepName, "the disk is made of cheese", "delete the instance")
			assert.Equal(t, "SERVER_DOWN", journal.End().GetFailure().GetCode())
			assert.Equal(t, nothing, b.cloud.Inventory())
		})
	}
}

func TestARestartWhoseServerGoesDownFailsAndTakesNothingAway(t *testing.T) {
	for stepName, before := range map[string]string{
		"check_guest":      "claim",
		"restart_database": "check_guest=SUCCEEDED,restart_database=RUNNING",
		"await_healthy":    "restart_database=SUCCEEDED,await_healthy=RUNNING",
	} {
		t.Run(stepName, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			journal := restartTask(b.created(t))
			journal.OnWrite(func(write string) {
				if write == before {
					b.cloud.TakeDown(instanceID, "")
				}
			})

			require.NoError(t, b.run(t, journal))

			assertLeft(t, journal.End(), status.TaskNone, stepName, "neither its agent nor its database runs")
			assert.Equal(t, everything, b.cloud.Inventory())
		})
	}
}
