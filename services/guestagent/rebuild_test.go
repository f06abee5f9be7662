package guestagent_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

func TestADatabaseOutlivesTheMachineAroundItsVolume(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := preparedOf(t, k, func(s *settings.Server) {
			s.DataDir = s.Folder + "-volume"
			s.StateDir = filepath.Join(s.DataDir, ".coffer")
			t.Cleanup(func() { assert.NoError(t, os.RemoveAll(s.DataDir)) })
			require.NoError(t, os.MkdirAll(s.StateDir, 0o755))
		})
		_, err := m.connect("ann", password, "app").ExecContext(m.ctx(), "CREATE TABLE t AS SELECT 42 AS i")
		require.NoError(t, err)
		for _, path := range []string{m.server.AgentDir(), m.server.IdentityDir()} {
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o700), info.Mode().Perm(), path)
		}
		m.endAgent(syscall.SIGPWR)

		require.NoError(t, os.RemoveAll(m.server.Folder))
		m.build()
		m.startAgent()
		// It serves before anybody has asked it to, and knows what it was asked before.
		m.enroll()
		m.await(isHealthy)
		var row int
		require.NoError(t, m.connect("ann", password, "app").QueryRowContext(m.ctx(), "SELECT i FROM t").Scan(&row))
		assert.Equal(t, 42, row)
		assert.EqualValues(t, 2, m.status().GetStarts())
		require.NoError(t, m.restart("task-1/restart", 1), "the agent is still the database's administrator")
		require.Error(t, m.restart("task-0/restart", 0), "an older run's")
	})
}
