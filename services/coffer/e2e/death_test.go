package e2e_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnAgentThatDiesLeavesItsDatabaseAndComesBack(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	user := s.signIn("coffer")
	made := user.createReady("untouched")
	host := s.machine(made)
	host.remember("kept")
	agent, database := host.pidOf("coffer-guestagent"), host.pidOf("mariadbd")

	require.NoError(t, syscall.Kill(agent, syscall.SIGKILL))
	within(t, "a new agent", func() bool {
		pids := host.pidsOf("coffer-guestagent")
		return len(pids) == 1 && pids[0] != agent
	})
	assert.Equal(t, database, host.pidOf("mariadbd"), "the database was not touched")

	starts := host.databaseStarts()
	user.awaitSuccess(user.restart(made.ID))
	assert.Equal(t, starts+1, host.databaseStarts())
	assert.Equal(t, []string{"kept"}, host.remembered())
}

func TestAnAgentThatDiesWhileTheControlPlaneIsDownIsStartedByTheNextServe(t *testing.T) {
	t.Parallel()
	dataDir := newDataDir(t)
	s := startServe(t, dataDir)
	made := s.signIn("coffer").createReady("untouched")
	host := s.machine(made)
	host.remember("kept")
	database := host.pidOf("mariadbd")
	s.kill()
	assert.True(t, host.answers(), "the database serves without its control plane")
	require.NoError(t, syscall.Kill(host.pidOf("coffer-guestagent"), syscall.SIGKILL))
	within(t, "the agent to be gone", func() bool { return len(host.pidsOf("coffer-guestagent")) == 0 })
	assert.True(t, host.answers(), "the database serves without its agent")

	user := startServe(t, dataDir).signIn("coffer")
	user.awaitOperating(made.ID, "HEALTHY")
	assert.Equal(t, database, host.pidOf("mariadbd"), "the database was not touched")
	user.awaitSuccess(user.restart(made.ID))
	assert.Equal(t, []string{"kept"}, host.remembered())
}

func TestACreateOutlastsTheDeathOfItsAgentOnceItsDatabaseRuns(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	user := s.signIn("coffer")
	made, taskID := user.create(newInstance("bereaved"))
	host := machine{t: t, folder: filepath.Join(s.folder("servers"), made.ID)}
	within(t, "the database's process", func() bool { return len(host.pidsOf("mariadbd")) == 1 })
	database := host.pidOf("mariadbd")
	require.NoError(t, syscall.Kill(host.pidOf("coffer-guestagent"), syscall.SIGKILL))

	user.awaitSuccess(taskID)
	host = s.machine(user.show(made.ID))
	assert.Equal(t, database, host.pidOf("mariadbd"), "the database was not touched")
	host.remember("kept")
	assert.Equal(t, []string{"kept"}, host.remembered())
}

func TestADatabaseThatDiesComesBackByItself(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	user := s.signIn("coffer")
	made := user.createReady("revived")
	host := s.machine(made)
	host.remember("kept")

	var seen []string
	user.watch("", func() bool {
		require.NoError(t, syscall.Kill(host.pidOf("mariadbd"), syscall.SIGKILL))
		return false
	}, func(kind string, data []byte) bool {
		if told, ok := operatingStatus(t, kind, data, made.ID); ok {
			seen = append(seen, told)
		}
		return len(seen) > 1 && seen[len(seen)-1] == "HEALTHY"
	})
	assert.Equal(t, "SHUTDOWN", seen[0], "its death is shown meanwhile")
	assert.Equal(t, []string{"kept"}, host.remembered())
	assert.Equal(t, "ACTIVE", user.show(made.ID).Status)
}
