package postgresql

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/nettest"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

// newEngine is one for a server's folder that has a data directory.
func newEngine(t *testing.T) *Engine {
	t.Helper()
	// The database's user must reach its folder, so not t.TempDir.
	home, err := os.MkdirTemp("", "in-place-") //nolint:usetesting // see above
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(home)) })
	require.NoError(t, os.Chmod(home, 0o711))
	server := settings.Server{
		InstanceID: "in-place", Address: nettest.Host(), Folder: home, MemoryBytes: 256 << 20,
		DataDir: filepath.Join(home, "data"), TemplatesDir: filepath.Join(home, "templates"), VolumeLimitBytes: 1 << 30,
	}
	if os.Geteuid() == 0 {
		server.RunAsUID, server.RunAsGID = 64001, 64001
	}
	require.NoError(t, os.Mkdir(server.DataDir, 0o711))
	require.NoError(t, server.MakeFolders())
	opened, err := Open(t.Context(), server, "")
	require.NoError(t, err)
	e := opened.(*Engine)
	require.NoError(t, e.Install(t.Context()))
	require.NoError(t, e.Configure(256))
	return e
}

// TestPgUpgradeTakesTheFormerDataDirectoryOver converts to the same version, for which pg_upgrade does all that it does for
// another: few machines have the programs of two.
func TestPgUpgradeTakesTheFormerDataDirectoryOver(t *testing.T) {
	e := newEngine(t)
	sql := func(database, statement string) (value string) {
		require.NoError(t, e.alone(t.Context(), func(ctx context.Context) error {
			return e.in(ctx, database, func(c *pgconn.PgConn) (err error) {
				value, err = query(ctx, c, statement)
				return err
			})
		}))
		return value
	}
	sql("postgres", "CREATE DATABASE shop")
	sql("shop", "CREATE TABLE kept AS SELECT n FROM generate_series(1, 1000) AS n")
	sql("postgres", "CREATE ROLE ann LOGIN PASSWORD 'Vee3-planted-secret'")
	password := "SELECT rolpassword FROM pg_authid WHERE rolname = 'ann'"
	before, system := sql("postgres", password), "SELECT system_identifier::text FROM pg_control_system()"
	identifier := sql("postgres", system)
	folder := filepath.Join(e.server.DataDir, ".upgrade")
	require.NoError(t, os.Mkdir(folder, 0o700))
	former, found := e.reaches(t.Context(), e.Version())
	require.True(t, found)

	require.NoError(t, e.convertInPlace(t.Context(), former, folder))

	assert.NotEqual(t, identifier, sql("postgres", system), "the data directory is a new one")
	assert.Equal(t, "1000", sql("shop", "SELECT count(*)::text FROM kept"))
	assert.Equal(t, before, sql("postgres", password))
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, left)
}
