package local

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/providertest"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// awaited bounds waits for other processes' doings, between is how often they are looked at.
const (
	awaited = 30 * time.Second
	between = 2 * time.Millisecond
)

// host is a data folder, an engine that only knows its version, and agents that are this test's program.
type host struct {
	cfg Config
}

func newHost(t *testing.T) *host {
	t.Helper()
	root := openTempDir(t)
	self, err := os.Executable()
	require.NoError(t, err)
	engine := filepath.Join(root, "engine")
	require.NoError(t, os.MkdirAll(filepath.Join(engine, "usr/sbin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(engine, "usr/sbin/mariadbd"),
		[]byte("#!/bin/sh\necho 'mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64'\n"), 0o755))
	cfg := DefaultConfig()
	cfg.DataDir = filepath.Join(root, "data")
	cfg.GuestAgent = self
	cfg.EnginePrefix = engine
	h := &host{cfg}
	t.Cleanup(func() { h.clean(t) })
	return h
}

// openTempDir is one that others can pass, which t.TempDir is not.
func openTempDir(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("/tmp", "coffer-local-") //nolint:usetesting // see above
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(root)) })
	require.NoError(t, os.Chmod(root, 0o755))
	return root
}

// clean removes what a failed test left running or mounted, which RemoveAll must not walk into.
func (h *host) clean(t *testing.T) {
	ctx := context.Background()
	p, err := Open(ctx, h.cfg, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	entries, err := os.ReadDir(p.folder.volumes)
	require.NoError(t, err)
	for _, entry := range entries {
		require.NoError(t, p.DeleteServer(ctx, entry.Name()))
		require.NoError(t, p.DeleteVolume(ctx, entry.Name()))
	}
}

func (h *host) open(t *testing.T) *Provider {
	t.Helper()
	p, err := Open(t.Context(), h.cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
	require.NoError(t, err)
	t.Cleanup(p.children.release)
	return p
}

// cloud is the host as the shared suite wants it.
type cloud struct{ *host }

func (c cloud) Open(t *testing.T) step.Provider { t.Helper(); return c.open(t) }
func (c cloud) Manager() string                 { return "mariadb" }
func (c cloud) Version() string                 { return "10.11.14" }

func (c cloud) TakeDown(t *testing.T, instanceID string) {
	t.Helper()
	c.awaitDatabase(t, instanceID)
	found, err := c.open(t).processes(instanceID)
	require.NoError(t, err)
	defer release(found)
	require.NoError(t, proc.Kill(t.Context(), found...))
}

// awaitDatabase waits until the agent has started its database, and answers with its record.
func (h *host) awaitDatabase(t *testing.T, instanceID string) string {
	t.Helper()
	record := filepath.Join(h.cfg.DataDir, "servers", instanceID, "database.pid")
	var text []byte
	p := h.open(t)
	require.Eventually(t, func() bool {
		var err error
		text, err = os.ReadFile(record)
		if err != nil || len(text) == 0 {
			return false
		}
		// An agent that was started again writes its own over its predecessor's, which may be a zombie: that has no command line.
		line, gone := os.ReadFile(filepath.Join("/proc", string(text), "cmdline"))
		lives, unknown := p.serverLives(instanceID)
		return unknown == nil && (!lives || gone == nil && strings.Contains(string(line), instanceID))
	}, awaited, between)
	return string(text)
}

// Inventory lists files, mounts, loop devices and processes of the folder. What agents write while they start is
// awaited first; templates and the folder's own files stay for ever.
func (c cloud) Inventory(t *testing.T) []string {
	t.Helper()
	p := c.open(t)
	ids, err := p.folder.serverIDs()
	require.NoError(t, err)
	var all []string
	for _, id := range ids {
		all = append(all, "database "+c.awaitDatabase(t, id))
		agent, err := p.recordedAgent(id)
		require.NoError(t, err)
		all = append(all, "agent of "+id+" at "+strconv.Itoa(agent.PID()))
		agent.Release()
	}
	strays, err := proc.FindWhere(func(pid int) bool {
		cwd, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "cwd"))
		return err == nil && strings.HasPrefix(cwd, c.cfg.DataDir)
	})
	require.NoError(t, err)
	for _, stray := range strays {
		all = append(all, "process "+strconv.Itoa(stray.PID()))
	}
	release(strays)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, c.cfg.DataDir) {
			all = append(all, "mount "+line)
		}
	}
	all = append(all, c.loops(t)...)
	for _, dir := range []string{"local", "servers", "volumes"} {
		err := filepath.WalkDir(filepath.Join(c.cfg.DataDir, dir), func(path string, _ fs.DirEntry, err error) error {
			if !errors.Is(err, fs.ErrNotExist) {
				require.NoError(t, err)
				all = append(all, path)
			}
			return nil
		})
		require.NoError(t, err)
	}
	sort.Strings(all)
	return all
}

func (h *host) loops(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	require.NoError(t, err)
	var all []string
	for _, file := range files {
		backing, err := os.ReadFile(file)
		if err == nil && strings.HasPrefix(string(backing), h.cfg.DataDir) {
			all = append(all, "loop device of "+string(backing))
		}
	}
	return all
}

func TestTheLocalProviderDoesWhatEveryProviderMust(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Cloud { return cloud{newHost(t)} })
}
