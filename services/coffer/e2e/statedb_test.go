package e2e_test

import (
	"testing"

	"github.com/coffer-dbaas/coffer/pkg/dbtest"
)

// state says where an api keeps its state, as its configuration does.
type state struct{ driver, dsn string }

// mariadbState starts a MariaDB server of its own for the length of the test.
func mariadbState(t testing.TB) state {
	t.Helper()
	server := dbtest.MariaDB(t)
	t.Cleanup(server.Stop)
	return state{driver: "mysql", dsn: server.DSN}
}

// postgresState starts a PostgreSQL server of its own for the length of the test.
func postgresState(t testing.TB) state {
	t.Helper()
	server := dbtest.PostgreSQL(t)
	t.Cleanup(server.Stop)
	return state{driver: "postgres", dsn: server.DSN}
}
