package local

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// stoppedInOrder says whether the server's agent was told that its machine goes down, and forgets it.
func (h *host) stoppedInOrder(id string) bool {
	return os.Remove(filepath.Join(h.cfg.DataDir, "servers", id, "stopped-in-order")) == nil
}

// restarts waits until the database runs that the change starts anew: an agent that has only just begun is not told in
// order that its machine goes down.
func (h *host) restarts(t *testing.T, id string, change func() error) {
	t.Helper()
	h.awaitDatabase(t, id)
	require.NoError(t, os.Remove(filepath.Join(h.cfg.DataDir, "servers", id, "database.pid")))
	require.NoError(t, change())
	h.awaitDatabase(t, id)
}

func TestASoftRebootIsInOrderAndAHardOneIsNot(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	id := h.makeInstance(t, p)
	for _, hard := range []bool{false, true} {
		agent, database := h.agent(t, p, id), h.database(t, id)
		h.restarts(t, id, func() error { _, err := p.RebootServer(t.Context(), id, hard); return err })

		assert.Equal(t, !hard, h.stoppedInOrder(id))
		assert.NotEqual(t, agent.PID(), h.agent(t, p, id).PID())
		assertEnded(t, database, "the database went on beside a server that was rebooted")
	}
}

func TestAServerThatHangsIsStopped(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	id := h.makeInstance(t, p)
	agent, database := h.agent(t, p, id), h.database(t, id)
	require.NoError(t, agent.Signal(syscall.SIGSTOP))
	require.NoError(t, database.Signal(syscall.SIGSTOP))

	require.NoError(t, p.StopServer(t.Context(), id))

	assertEnded(t, agent, "the agent went on")
	assertEnded(t, database, "the database went on")
}

// TestAStoppedServerIsNotBroughtBack goes through what starts servers by itself: the supervisor of this provider, which
// sees the agent end, and the next one's, which brings back what shall run.
func TestAStoppedServerIsNotBroughtBack(t *testing.T) {
	h := newHost(t)
	first := h.open(t)
	stop := running(t, first)
	id := h.makeInstance(t, first)
	require.NoError(t, first.StopServer(t.Context(), id))
	awaitEvent(t, first, id, "SHUTDOWN")
	stop(ErrStopServers)

	second := h.open(t)
	running(t, second)
	awaitEvent(t, second, id, "SHUTDOWN")

	found, err := second.processes(id)
	require.NoError(t, err)
	release(found)
	assert.Empty(t, found)
	server, err := second.Server(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, "SHUTDOWN", server.Status)
	assert.Equal(t, "it was switched off", server.Fault)
}

func TestAResizedServerTellsItsAgentAndItsGroup(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	id := h.makeInstance(t, p)
	assertMemory := func(mib, former int64) {
		t.Helper()
		s, err := p.folder.readServer(id)
		require.NoError(t, err)
		assert.Equal(t, mib<<20, s.MemoryBytes)
		assert.Equal(t, former<<20, s.FormerMemoryBytes)
	}

	resize := func(ram int) func() error {
		return func() error { _, err := p.ResizeServer(t.Context(), id, step.Flavor{RAM: ram}); return err }
	}
	h.restarts(t, id, resize(1024))
	assertMemory(1024, 512)
	assert.True(t, h.stoppedInOrder(id))
	h.restarts(t, id, func() error { _, err := p.RevertResize(t.Context(), id); return err })
	assertMemory(512, 0)
	assert.True(t, h.stoppedInOrder(id))
	h.restarts(t, id, resize(2048))
	require.NoError(t, p.ConfirmResize(t.Context(), id))
	assertMemory(2048, 0)
}

func TestAnExtendedVolumeIsLargerForItsFileSystem(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	id := h.makeInstance(t, p)
	h.awaitDatabase(t, id)

	_, err := p.ExtendVolume(t.Context(), id, 3)
	require.NoError(t, err)

	if !p.mounts {
		s, err := p.folder.readServer(id)
		require.NoError(t, err)
		assert.EqualValues(t, 3*gib, s.VolumeLimitBytes)
		return
	}
	device, err := attachedLoop(p.folder.volumeImage(id))
	require.NoError(t, err)
	f, err := os.Open(device)
	require.NoError(t, err)
	defer f.Close()
	size, err := f.Seek(0, 2)
	require.NoError(t, err)
	assert.Equal(t, 3*gib+p.fileSystem.overhead, size, "the device under the mounted file system")
	var fs unix.Statfs_t
	require.NoError(t, unix.Statfs(p.folder.volumeData(id), &fs))
	assert.LessOrEqual(t, int64(fs.Blocks)*fs.Bsize, int64(gib), "filling it is the guest's")
}

func TestARebuiltServerKeepsItsAgentsFolder(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	spec := h.makeParts(t, p)
	_, err := p.CreateServer(t.Context(), spec)
	require.NoError(t, err)
	h.awaitDatabase(t, spec.InstanceID)
	identity := filepath.Join(p.folder.server(spec.InstanceID), "agent")
	require.NoError(t, os.MkdirAll(identity, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(identity, "key.pem"), []byte("its own"), 0o600))
	before := h.agent(t, p, spec.InstanceID)

	_, err = p.RebuildServer(t.Context(), spec)
	require.NoError(t, err)

	assert.NotEqual(t, before.PID(), h.agent(t, p, spec.InstanceID).PID())
	kept, err := os.ReadFile(filepath.Join(identity, "key.pem"))
	require.NoError(t, err)
	assert.Equal(t, "its own", string(kept))
}
