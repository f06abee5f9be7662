package guestagent_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/enter/entertest"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

// rootedAt has the server's engine in a root folder.
func rootedAt(folder string) func(*settings.Server) {
	return func(s *settings.Server) { s.EngineRoot = folder }
}

func isHealthy(s *guestagentv1.DatabaseStatus) bool { return s.GetServiceStatus() == "HEALTHY" }

func TestADatabaseInARootFolderIsFoundAgainAndComesBackLikeAnyOther(t *testing.T) {
	folder := entertest.Folder(t)
	m := prepared(t, rootedAt(folder))
	assert.NotEqual(t, prepared(t).status().GetVersion(), m.status().GetVersion(), "two versions stand side by side")

	pid := m.database().PID()
	m.endAgent(syscall.SIGKILL)
	require.Equal(t, pid, m.database().PID())
	m.startAgent()
	m.await(isHealthy)
	assert.EqualValues(t, pid, m.status().GetPid())
	assert.EqualValues(t, 1, m.status().GetStarts())

	require.NoError(t, m.restart("task-1/restart", 1))
	restarted := m.database()
	assert.NotEqual(t, pid, restarted.PID())
	require.NoError(t, proc.Kill(m.ctx(), restarted))
	m.await(func(s *guestagentv1.DatabaseStatus) bool { return int(s.GetPid()) != restarted.PID() && isHealthy(s) })
	require.NoError(t, m.connect("ann", password, "app").PingContext(m.ctx()))
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	for _, path := range []string{folder, m.server.Folder} {
		assert.NotContains(t, string(mounts), path, "a mount is seen outside")
	}
}

func TestARootFolderThatIsGoneIsNamedAndCanComeBack(t *testing.T) {
	folder := entertest.Folder(t)
	link := filepath.Join(t.TempDir(), "root")
	require.NoError(t, os.Symlink(folder, link))
	m := prepared(t, rootedAt(link))
	require.NoError(t, os.Remove(link))
	require.ErrorContains(t, m.restart("task-1/restart", 1), link)
	require.NoError(t, os.Symlink(folder, link))
	require.NoError(t, m.restart("task-2/restart", 2))
	require.NoError(t, m.connect("ann", password, "app").PingContext(m.ctx()))
}
