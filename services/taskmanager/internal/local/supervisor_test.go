package local

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/proc"
)

// awaitOtherAgent waits until another agent than the former one lives in the server.
func (h *host) awaitOtherAgent(t *testing.T, p *Provider, id string, former *proc.Process) {
	t.Helper()
	require.Eventually(t, func() bool {
		agent, err := p.recordedAgent(id)
		if err != nil {
			return false
		}
		defer agent.Release()
		return agent.PID() != former.PID()
	}, awaited, between)
}

func TestAnAgentThatDiesAloneIsStartedAgainBesideItsDatabase(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	running(t, p)
	id := h.makeInstance(t, p)
	database, agent := h.database(t, id), h.agent(t, p, id)

	for range 2 {
		h.kill(t, agent)
		h.awaitOtherAgent(t, p, id, agent)
		agent = h.agent(t, p, id)
		assert.Equal(t, database.PID(), h.database(t, id).PID())
	}
}

func TestAServerThatAnotherTaskmanagerMadeIsWatchedToo(t *testing.T) {
	h := newHost(t)
	p, other := h.open(t), h.open(t)
	running(t, p)
	id := h.makeInstance(t, other)
	h.kill(t, h.agent(t, p, id), h.database(t, id))
	awaitEvent(t, p, id, "SHUTDOWN")
}

func TestServersThatDiedWithTheControlPlaneComeBackWithIt(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	id := h.makeInstance(t, p)
	database := h.database(t, id)
	h.kill(t, h.agent(t, p, id), database)

	running(t, p)
	awaitEvent(t, p, id, "ACTIVE")
	require.Eventually(t, func() bool { return h.awaitDatabase(t, id) != "" && h.agent(t, p, id) != nil }, awaited, between)
}

func TestADatabaseThatOutlivedItsAgentAndTheControlPlaneGetsAnAgentAgain(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	id := h.makeInstance(t, p)
	database, agent := h.database(t, id), h.agent(t, p, id)
	h.kill(t, agent)

	running(t, p)
	awaitEvent(t, p, id, "ACTIVE")
	h.awaitOtherAgent(t, p, id, agent)
	assert.Equal(t, database.PID(), h.database(t, id).PID())
}

func TestServersGoOnWhenTheControlPlaneEndsUnlessItIsToldToStopThem(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	stop := running(t, p)
	id := h.makeInstance(t, p)
	database, agent := h.database(t, id), h.agent(t, p, id)
	stop(nil)
	assert.Equal(t, agent.PID(), h.agent(t, p, id).PID())

	p = h.open(t)
	stop = running(t, p)
	awaitEvent(t, p, id, "ACTIVE")
	stop(ErrStopServers)
	<-database.Done()
	<-agent.Done()
	assert.FileExists(t, filepath.Join(p.folder.server(id), "stopped-in-order"))
	mounted, err := isMounted(p.folder.volumeData(id))
	require.NoError(t, err)
	assert.False(t, mounted)
	assert.Empty(t, h.loops(t))

	p = h.open(t)
	running(t, p)
	awaitEvent(t, p, id, "ACTIVE")
	assert.NotEqual(t, agent.PID(), h.agent(t, p, id).PID())
	mounted, err = isMounted(p.folder.volumeData(id))
	require.NoError(t, err)
	assert.Equal(t, p.mounts, mounted)
}

func TestADatabaseWithoutAnAgentIsStoppedToo(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	stop := running(t, p)
	id := h.makeInstance(t, p)
	database := h.database(t, id)
	h.kill(t, h.agent(t, p, id))
	stop(ErrStopServers)
	<-database.Done()
}

func TestASecondTaskmanagerSupervisesWhenTheFirstHasEnded(t *testing.T) {
	h := newHost(t)
	first, second := h.open(t), h.open(t)
	stop := running(t, first)
	id := h.makeInstance(t, first)
	agent := h.agent(t, first, id)
	h.database(t, id)
	running(t, second)
	h.kill(t, agent)
	h.awaitOtherAgent(t, first, id, agent)

	stop(nil)
	awaitEvent(t, second, id, "ACTIVE")
	agent = h.agent(t, second, id)
	h.kill(t, agent)
	h.awaitOtherAgent(t, second, id, agent)
}

func TestADeletedServerIsNotTold(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	stop := running(t, p)
	kept, deleted := h.makeInstance(t, p), h.makeInstance(t, p)
	require.NoError(t, p.DeleteServer(t.Context(), deleted))
	h.kill(t, h.agent(t, p, kept), h.database(t, kept))
	awaitEvent(t, p, kept, "SHUTDOWN")
	stop(nil)
	assert.False(t, p.events.Holds(deleted))
}

func TestAServerThatDoesNotStopInTimeIsKilled(t *testing.T) {
	h := newHost(t)
	h.cfg.StopLimit = 50 * time.Millisecond
	p := h.open(t)
	stop := running(t, p)
	id := h.makeInstance(t, p)
	database, agent := h.database(t, id), h.agent(t, p, id)
	require.NoError(t, agent.Signal(syscall.SIGSTOP))
	stop(ErrStopServers)
	<-database.Done()
	<-agent.Done()
	assert.NoFileExists(t, filepath.Join(p.folder.server(id), "stopped-in-order"))
	assert.Empty(t, h.loops(t))
}
