package postgresql_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine/enginetest"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine/postgresql"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/enter/entertest"
)

func TestMain(m *testing.M) { entertest.Main(m) }

func TestPostgreSQLBehavesAsAnEngineMust(t *testing.T) {
	enginetest.Run(t, subject(""))
}

func TestPostgreSQLInARootFolderBehavesAsAnEngineMust(t *testing.T) {
	enginetest.Run(t, subject(entertest.Folder(t)))
}

func subject(engineRoot string) enginetest.Subject {
	return enginetest.Subject{
		Open: postgresql.Open, Ask: ask, Port: 5432, LongQuery: "SELECT COUNT(*) FROM generate_series(1, 10000000000)",
		ReservedDatabases: []string{"postgres", "template0", "template1"},
		ReservedUsers:     []string{"postgres", "os_admin", "public", "none", "coffer_repl_0123abcd"},
		EngineRoot:        engineRoot,
	}
}

func TestATemplateOfAVersionThatIsNotInstalledIsRefused(t *testing.T) {
	_, err := postgresql.MakeTemplate(t.Context(), t.TempDir(), engine.Programs{}, "9.1")
	assert.True(t, errs.IsReason(err, "VERSION_MISSING"), "%v", err)
	_, err = postgresql.MakeTemplate(t.Context(), t.TempDir(), engine.Programs{Prefix: t.TempDir()}, "15.1")
	assert.True(t, errs.IsReason(err, "ENGINE_MISSING"), "%v", err)
}

func ask(ctx context.Context, address string, user engine.User, database, statement string) (column []string, err error) {
	config, err := pgconn.ParseConfig("sslmode=disable")
	if err != nil {
		return nil, err
	}
	config.Host, config.Port, config.Fallbacks = address, 5432, nil
	config.User, config.Password, config.Database = user.Name, user.Password, database
	c, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	results, err := c.Exec(ctx, statement).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, row := range results[0].Rows {
		column = append(column, string(row[0]))
	}
	return column, nil
}

func TestPostgreSQLReplicatesAsAnEngineMust(t *testing.T) {
	enginetest.RunReplication(t, subject(""))
}

func TestPostgreSQLInARootFolderReplicatesAsAnEngineMust(t *testing.T) {
	enginetest.RunReplication(t, subject(entertest.Folder(t)))
}

func TestTheDataOfTwoServersAreOfTwoOrigins(t *testing.T) {
	enginetest.RunForeign(t, subject(""))
}
