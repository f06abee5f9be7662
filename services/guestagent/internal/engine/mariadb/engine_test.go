package mariadb_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine/enginetest"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine/mariadb"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/enter/entertest"
)

func TestMain(m *testing.M) { entertest.Main(m) }

func TestMariaDBBehavesAsAnEngineMust(t *testing.T) {
	enginetest.Run(t, subject(""))
}

func TestMariaDBReplicatesAsAnEngineMust(t *testing.T) {
	enginetest.RunReplication(t, subject(""))
}

func TestMariaDBInARootFolderBehavesAsAnEngineMust(t *testing.T) {
	enginetest.Run(t, subject(entertest.Folder(t)))
}

func subject(engineRoot string) enginetest.Subject {
	return enginetest.Subject{
		Open: mariadb.Open, Ask: ask, Port: 3306, LongQuery: "SELECT SLEEP(3600)",
		ReservedDatabases: []string{"mysql", "information_schema", "performance_schema", "sys"},
		ReservedUsers:     []string{"root", "os_admin", "mariadb.sys"},
		EngineRoot:        engineRoot, Spoil: loseRelayLogs,
	}
}

// loseRelayLogs leaves a list of relay logs that are gone, as a server does that dies while it begins to follow.
func loseRelayLogs(t *testing.T, dataDir string) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dataDir, "mysql", "relay.0*"))
	require.NoError(t, err)
	require.NotEmpty(t, logs)
	for _, log := range logs {
		require.NoError(t, os.Remove(log))
	}
	require.FileExists(t, filepath.Join(dataDir, "mysql", "relay.index"))
}

func TestATemplateOfAVersionThatIsNotInstalledIsRefused(t *testing.T) {
	_, err := mariadb.MakeTemplate(t.Context(), t.TempDir(), engine.Programs{}, "5.5.1")
	assert.True(t, errs.IsReason(err, "VERSION_MISSING"), "%v", err)
	_, err = mariadb.MakeTemplate(t.Context(), t.TempDir(), engine.Programs{Prefix: t.TempDir()}, "5.5.1")
	assert.True(t, errs.IsReason(err, "ENGINE_MISSING"), "%v", err)
}

func ask(ctx context.Context, address string, user engine.User, database, statement string) (column []string, err error) {
	config := mysql.NewConfig()
	config.User, config.Passwd, config.DBName = user.Name, user.Password, database
	config.Net, config.Addr, config.Logger = "tcp", address+":3306", &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		column = append(column, value)
	}
	return column, rows.Err()
}
