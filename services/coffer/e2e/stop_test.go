package e2e_test

import (
	"encoding/json"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCtrlCStopsEverythingAndTheNextServeBringsItBack(t *testing.T) {
	t.Parallel()
	dataDir := newDataDir(t)
	s := startServe(t, dataDir)
	user := s.signIn("coffer")
	instances := []instance{user.createReady("one"), user.createReady("two")}
	for _, i := range instances {
		s.machine(i).remember(i.Name)
	}
	s.interrupt()
	assert.Empty(t, processesOf(t, dataDir), "Ctrl-C leaves nothing running")

	next := startServe(t, dataDir)
	user = next.signIn("coffer")
	for _, i := range instances {
		user.awaitOperating(i.ID, "HEALTHY")
		next.machine(i).awaitRemembered(i.Name)
	}
}

func TestKeepServersAndKillLeaveTheDatabasesServing(t *testing.T) {
	t.Parallel()
	dataDir := newDataDir(t)
	s := startServe(t, dataDir, withArgs("--keep-servers"))
	made := s.signIn("coffer").createReady("kept")
	host := s.machine(made)
	host.remember("kept")
	database := host.pidOf("mariadbd")

	s.signal(syscall.SIGTERM)
	assert.Zero(t, s.command.ProcessState.ExitCode())
	assert.True(t, host.answers())
	next := startServe(t, dataDir)
	next.signIn("coffer").awaitOperating(made.ID, "HEALTHY")
	next.kill()
	assert.True(t, host.answers())
	assert.Equal(t, database, host.pidOf("mariadbd"))
}

func TestASecondServeOnTheSameFolderIsRefusedAndOneBesideItWorks(t *testing.T) {
	t.Parallel()
	dataDir := newDataDir(t)
	first := startServe(t, dataDir)
	refused := launchServe(t, dataDir)
	refused.awaitExit()
	assert.NotZero(t, refused.command.ProcessState.ExitCode())
	assert.Contains(t, refused.output.String(), dataDir)
	assert.Contains(t, refused.output.String(), "another")

	beside := startServe(t, newDataDir(t))
	one := first.signIn("coffer").createReady("one")
	other := beside.signIn("coffer").createReady("other")
	assert.NotEqual(t, one.IP, other.IP)
	first.machine(one).remember("one")
	beside.machine(other).remember("other")
	assert.NotEqual(t, filepath.Dir(first.machine(one).folder), filepath.Dir(beside.machine(other).folder))
}

func operatingStatus(t testing.TB, kind string, data []byte, id string) (string, bool) {
	t.Helper()
	if kind != "instance" {
		return "", false
	}
	var told instance
	require.NoError(t, json.Unmarshal(data, &told))
	return told.OperatingStatus, told.ID == id
}
