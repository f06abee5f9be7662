package gormstore_test

import (
	"database/sql"
	"fmt"
	"os"
	"sync"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/dbtest"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/gormstore"
)

// servers are those that the tests share, started when first needed and ended with the package's run.
var servers struct {
	postgres, mariadb sync.Once
	postgresConfig    gormstore.Config
	mariadbConfig     gormstore.Config
	stop              []func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, stop := range servers.stop {
		stop()
	}
	os.Exit(code)
}

func postgres(t *testing.T) gormstore.Config {
	t.Helper()
	servers.postgres.Do(func() {
		servers.postgresConfig = migrated(t, gormstore.DriverPostgres, dbtest.PostgreSQL(t))
	})
	return servers.postgresConfig
}

func mariadb(t *testing.T) gormstore.Config {
	t.Helper()
	servers.mariadb.Do(func() {
		servers.mariadbConfig = migrated(t, gormstore.DriverMySQL, dbtest.MariaDB(t))
	})
	return servers.mariadbConfig
}

func migrated(t *testing.T, driver string, server *dbtest.Server) gormstore.Config {
	t.Helper()
	servers.stop = append(servers.stop, server.Stop)
	config := gormstore.Config{Driver: driver, DSN: server.DSN}
	require.NoError(t, gormstore.Migrate(t.Context(), config))
	return config
}

// empty takes everything out of a migrated database.
func empty(t *testing.T, cfg gormstore.Config) {
	t.Helper()
	name := map[string]string{gormstore.DriverPostgres: "pgx", gormstore.DriverMySQL: "mysql"}[cfg.Driver]
	db, err := sql.Open(name, cfg.DSN)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for _, table := range []string{
		"idempotency_keys", "task_secrets", "task_members", "tasks", "instances", "quota_usage", "quota_limits", "outbox", "monitors",
		"datastore_versions", "datastores", "provider", "tokens",
	} {
		_, err := db.ExecContext(t.Context(), fmt.Sprintf("DELETE FROM %s", table))
		require.NoError(t, err)
	}
}
