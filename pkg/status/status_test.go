package status_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/status"
)

var (
	tasks = []status.Task{
		status.TaskNone, status.TaskDeleting, status.TaskRebooting, status.TaskResizing, status.TaskBuilding,
		status.TaskMigrating, status.TaskRestartRequired, status.TaskPromoting, status.TaskEjecting, status.TaskDetaching,
		status.TaskUpdating, status.TaskUpgrading, status.TaskBuildingErrorServer, status.TaskDeletingError,
	}
	servers = []status.Server{
		status.ServerNone, status.ServerBuild, status.ServerActive, status.ServerError, status.ServerReboot,
		status.ServerResize, status.ServerVerifyResize, status.ServerShutdown, status.ServerDeleted, "SUSPENDED",
	}
	services = []status.Service{
		status.ServiceRunning, status.ServiceBlocked, status.ServicePaused, status.ServiceShutdown, status.ServiceDeleted,
		status.ServiceCrashed, status.ServiceFailed, status.ServiceBuilding, status.ServicePromoting, status.ServiceEjecting,
		status.ServiceUnknown, status.ServiceNew, status.ServiceFailedTimeout, status.ServiceInstanceReady,
		status.ServiceRestartRequired, status.ServiceHealthy, status.ServiceUpgrading, status.ServiceRestarting,
	}
	// words are all that clients know: anything else makes them fail.
	words = []string{
		"ACTIVE", "HEALTHY", "BLOCKED", "BUILD", "FAILED", "REBOOT", "RESIZE", "BACKUP", "SHUTDOWN", "ERROR",
		"RESTART_REQUIRED", "PROMOTE", "EJECT", "UPGRADE", "DETACH", "UNKNOWN",
	}
)

func TestShownFollowsTrovesPrecedence(t *testing.T) {
	active := status.Inputs{Server: status.ServerActive, Service: status.ServiceHealthy, Task: status.TaskNone}
	for want, change := range map[string]func(*status.Inputs){
		"ACTIVE":   func(*status.Inputs) {},
		"SHUTDOWN": func(in *status.Inputs) { in.Deleted, in.Task = true, status.TaskBuildingErrorServer },
		"ERROR":    func(in *status.Inputs) { in.Task, in.BackupRunning = status.TaskBuildingErrorVolume, true },
		"BUILD":    func(in *status.Inputs) { in.Task, in.Server = status.TaskBuilding, status.ServerShutdown },
		"REBOOT":   func(in *status.Inputs) { in.Task, in.BackupRunning = status.TaskRebooting, true },
		"BACKUP":   func(in *status.Inputs) { in.BackupRunning, in.Server = true, status.ServerError },
		"RESIZE":   func(in *status.Inputs) { in.Server = status.ServerVerifyResize },
		"UNKNOWN":  func(in *status.Inputs) { in.Server = "SUSPENDED" },
	} {
		in := active
		change(&in)
		assert.Equal(t, want, status.Shown(in))
	}
	assert.Equal(t, "ERROR", status.Shown(status.Inputs{Task: status.TaskBuilding, Server: status.ServerError}))
	assert.Equal(t, "ERROR", status.Shown(status.Inputs{Task: status.TaskDeleting, Server: status.ServerError}))
	assert.Equal(t, "SHUTDOWN", status.Shown(status.Inputs{Task: status.TaskDeleting, Server: status.ServerActive}))
	assert.Equal(t, "ACTIVE", status.Shown(status.Inputs{Task: status.TaskMigrating, Server: status.ServerActive}),
		"MIGRATING shows the server's own status")
}

func TestEveryCombinationShowsAWordThatClientsKnow(t *testing.T) {
	for _, in := range combinations() {
		require.Contains(t, words, status.Shown(in), "%+v", in)
	}
}

func TestOperatingIsEmptyUnlessTheServerIsActiveAndNothingIsDone(t *testing.T) {
	for _, in := range combinations() {
		calm := in.Task == status.TaskNone && in.Server == status.ServerActive
		if !calm {
			require.Empty(t, status.Operating(in), "%+v", in)
			continue
		}
		require.NotEmpty(t, status.Operating(in), "%+v", in)
	}
}

func TestASilentGuestIsAnErrorUnlessARestartIsDue(t *testing.T) {
	in := status.Inputs{Task: status.TaskNone, Server: status.ServerActive, Service: status.ServiceHealthy, Silent: true}
	assert.Equal(t, "ERROR", status.Operating(in))
	in.Service = status.ServiceRestartRequired
	assert.Equal(t, "RESTART_REQUIRED", status.Operating(in))
}

func TestCanPerformActionIsRuleR(t *testing.T) {
	admitted := map[status.Service]bool{
		status.ServiceRunning: true, status.ServiceShutdown: true, status.ServiceCrashed: true, status.ServiceBlocked: true,
		status.ServiceHealthy: true, status.ServiceRestartRequired: true,
	}
	for _, in := range combinations() {
		want := in.Server == status.ServerActive && !in.BackupRunning && admitted[in.Service] &&
			(in.Task == status.TaskNone || in.Task == status.TaskRestartRequired)
		ok, refused := status.CanPerformAction(in)
		require.Equal(t, want, ok, "%+v", in)
		require.Equal(t, ok, refused == "", "%+v: %q", in, refused)
	}
}

func combinations() []status.Inputs {
	var all []status.Inputs
	for _, task := range tasks {
		for _, server := range servers {
			for _, service := range services {
				for _, backup := range []bool{false, true} {
					all = append(all, status.Inputs{Task: task, Server: server, Service: service, BackupRunning: backup})
				}
			}
		}
	}
	return all
}
