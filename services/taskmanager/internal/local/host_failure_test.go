package local

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// assertNothingRuns looks for processes of the server.
func assertNothingRuns(t *testing.T, p *Provider, id string) {
	t.Helper()
	found, err := p.processes(id)
	require.NoError(t, err)
	assert.Empty(t, found)
}

func TestAMissingAgentProgramFailsTheServerWithItsCause(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	spec := h.makeParts(t, p)
	before := cloud{h}.Inventory(t)
	p.guestAgent, p.templates.guestAgent = "/nonexistent/coffer-guestagent", "/nonexistent/coffer-guestagent"

	_, err := p.CreateServer(t.Context(), spec)
	assert.True(t, errs.IsReason(err, "NO_GUEST_AGENT"), "without template: got %v", err)
	assert.Equal(t, before, cloud{h}.Inventory(t))

	require.NoError(t, os.Mkdir(p.templates.path("mariadb", "10.11.14"), 0o700))
	_, err = p.CreateServer(t.Context(), spec)
	assert.True(t, errs.IsReason(err, "NO_GUEST_AGENT"), "with template: got %v", err)
	assertNothingRuns(t, p, spec.InstanceID)
}

func TestAMissingEngineFailsTheServerWithItsCause(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	spec := h.makeParts(t, p)
	before := cloud{h}.Inventory(t)

	spec.Version = "10.11.13"
	_, err := p.CreateServer(t.Context(), spec)
	assert.True(t, errs.IsReason(err, "ENGINE_CHANGED"), "got %v", err)

	spec.Version = "10.11.14"
	require.NoError(t, os.Remove(filepath.Join(h.cfg.EnginePrefix, "usr/sbin/mariadbd")))
	_, err = p.CreateServer(t.Context(), spec)
	assert.True(t, errs.IsReason(err, "NO_ENGINE"), "got %v", err)
	assert.Equal(t, before, cloud{h}.Inventory(t))

	catalog, err := p.Catalog(t.Context())
	require.NoError(t, err)
	assert.Empty(t, catalog.GetDatastoreVersions())
	assert.Empty(t, catalog.GetDefaultDatastore())
}

func TestATemplateThatCannotBeMadeSaysWhy(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	spec := h.makeParts(t, p)
	broken := filepath.Join(h.cfg.EnginePrefix, "agent")
	require.NoError(t, os.WriteFile(broken, []byte("#!/bin/sh\necho first; echo the disk is made of cheese >&2; exit 3\n"), 0o755))
	p.templates.guestAgent = broken
	_, err := p.CreateServer(t.Context(), spec)
	require.ErrorContains(t, err, "the disk is made of cheese")
	assert.ErrorContains(t, err, "exit status 3")
}

func TestAVolumeIsAFileSystemOfItsSizeWhereTheHostAllowsIt(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	id := h.makeInstance(t, p)
	mounted, err := isMounted(p.folder.volumeData(id))
	require.NoError(t, err)
	assert.Equal(t, p.mounts, mounted)
	if os.Geteuid() != 0 {
		assert.False(t, p.mounts)
		return
	}
	var inside unix.Statfs_t
	require.NoError(t, unix.Statfs(p.folder.volumeData(id), &inside))
	assert.InDelta(t, gib, float64(inside.Blocks)*float64(inside.Bsize), 0.05*gib)
	info, err := os.Stat(p.folder.volumeImage(id))
	require.NoError(t, err)
	assert.Less(t, info.Sys().(*syscall.Stat_t).Blocks*512, p.fileSystem.overhead+8<<20, "the image takes room before it is used")
}

func TestAHalfMadeVolumeIsMadeAgain(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	spec := h.makeParts(t, p)
	require.NoError(t, removeFile(p.folder.volumeFile(spec.InstanceID)))
	_, err := p.CreateVolume(t.Context(), step.VolumeSpec{InstanceID: spec.InstanceID, Size: 2})
	require.NoError(t, err)
	v, err := p.folder.readVolume(spec.InstanceID)
	require.NoError(t, err)
	assert.Equal(t, int64(2*gib), v.Size)
}

func TestAnInterruptedDeletionIsNoServerThatShallRun(t *testing.T) {
	h := newHost(t)
	p := h.open(t)
	id := h.makeInstance(t, p)
	require.NoError(t, removeFile(p.folder.serverFile(id))) // what DeleteServer does first
	ids, err := p.folder.serverIDs()
	require.NoError(t, err)
	assert.Empty(t, ids)
	require.NoError(t, p.DeleteServer(t.Context(), id))
	assert.NoDirExists(t, p.folder.server(id))
}
