package e2e_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/nettest"
)

func TestSeparateProgramsGoOnWithoutATaskmanagerThatDiedMidway(t *testing.T) {
	t.Parallel()
	p := newPlane(t, mariadbState(t))
	p.startNATS()
	p.startAPI("api1", nil)
	p.startGateway()
	doomed := p.startTaskmanager("tm1", "create_instance/prepare_database/done/before", "")
	p.startTaskmanager("tm2", "", "")
	p.awaitHealthy("api1", "gateway", "tm1", "tm2")
	user := p.signIn("coffer")

	var made instance
	p.untilItDies(user, doomed, func() (task string) {
		made, task = user.create(newInstance("orphaned"))
		return task
	}, func() {})
	ready := user.show(made.ID)
	assert.Equal(t, "ACTIVE", ready.Status)
	assert.Equal(t, "HEALTHY", ready.OperatingStatus)
	host := p.machine(ready)
	assert.Equal(t, 1, host.databaseStarts())
	host.remember("before")

	doomed = p.startTaskmanager("tm1", "restart_instance/restart_database/done/before", "")
	p.awaitHealthy("tm1")
	starts := host.databaseStarts()
	p.untilItDies(user, doomed, func() string { return user.restart(made.ID) }, func() {
		starts++
		require.Equal(t, starts, host.databaseStarts(), "the database was started exactly once more")
	})
	assert.Equal(t, []string{"before"}, host.remembered())

	// What heard the guests, and what watched over the servers of this host, may have died with it.
	agent, database := host.pidOf("coffer-guestagent"), host.pidOf("mariadbd")
	require.NoError(t, syscall.Kill(database, syscall.SIGSTOP))
	// It runs and does not answer.
	user.awaitOperating(made.ID, "SHUTDOWN")
	require.NoError(t, syscall.Kill(database, syscall.SIGCONT))
	user.awaitOperating(made.ID, "HEALTHY")
	require.NoError(t, syscall.Kill(agent, syscall.SIGKILL))
	within(t, "a new agent", func() bool {
		pids := host.pidsOf("coffer-guestagent")
		return len(pids) == 1 && pids[0] != agent
	})
	assert.Equal(t, database, host.pidOf("mariadbd"), "the database was not touched")

	user.awaitSuccess(user.delete(made.ID))
	assert.Equal(t, http.StatusNotFound, user.call(http.MethodGet, "/instances/"+made.ID, nil).code)
	assert.Empty(t, host.pidsOf("mariadbd"))
	assert.NoDirExists(t, host.folder)
}

func TestTheExampleOfAConfigurationIsFine(t *testing.T) {
	check := exec.CommandContext(t.Context(), filepath.Join(programs, "coffer"), "config", "check", "../../../deploy/example/coffer.yaml")
	check.Env = append(os.Environ(), "COFFER_API_STATE_DSN=coffer@unix(/run/mysqld/mysqld.sock)/coffer")
	output, err := check.CombinedOutput()
	require.NoError(t, err, string(output))
}

// untilItDies orders until the doomed taskmanager was the one to take the task, and died of it. Each task succeeds: the
// last one elsewhere.
func (p *plane) untilItDies(user *client, doomed *process, order func() (task string), succeeded func()) {
	p.t.Helper()
	for doomed.running() {
		user.awaitSuccess(order())
		succeeded()
	}
	doomed.killedAtCrashPoint()
}

func TestSeparateProgramsLoseNothingWithTheQueueOrAnAPI(t *testing.T) {
	t.Parallel()
	p := newPlane(t, postgresState(t))
	queue := p.startNATS()
	first := p.startAPI("api1", nil)
	other := nettest.FreeAddress(t)
	p.startAPI("api2", map[string]any{
		"api.listen.public": nettest.FreeAddress(t), "api.listen.internal": other, "api.listen.identity": nettest.FreeAddress(t),
	})
	p.startGateway()
	p.startTaskmanager("tm1", "", "")
	p.startTaskmanager("tm2", "", other)
	p.awaitHealthy("api1", "api2", "gateway", "tm1", "tm2")
	user := p.signIn("coffer")
	made := user.createReady("kept")
	host := p.machine(made)
	host.remember("kept")
	starts := host.databaseStarts()

	queue.kill()
	require.NoError(t, os.RemoveAll(p.path("nats")))
	task := user.restart(made.ID)
	assert.Equal(t, "QUEUED", user.task(task).Status)
	p.startNATS()
	p.awaitHealthy("api1", "api2", "tm1", "tm2")
	user.awaitSuccess(task)
	assert.Equal(t, starts+1, host.databaseStarts())

	task = user.restart(made.ID)
	first.kill()
	p.startAPI("api1", nil)
	p.awaitHealthy("api1", "gateway")
	user.awaitSuccess(task)
	assert.Equal(t, starts+2, host.databaseStarts())

	assert.Equal(t, "HEALTHY", user.show(made.ID).OperatingStatus)
	assert.Equal(t, []string{"kept"}, host.remembered())
	user.awaitSuccess(user.delete(made.ID))
	assert.NoDirExists(t, host.folder)
}
