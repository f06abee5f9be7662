package postgresql

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// Signs is the data directory: the server writes into its pid file how it is.
func (e *Engine) Signs() string { return e.dataDir() }

// Answers asks a query over a new connection. A server that does not take connections yet is not asked, since it would
// log each refusal.
func (e *Engine) Answers(ctx context.Context) error {
	if !e.isReady() {
		return unreachable(nil)
	}
	return e.in(ctx, "postgres", func(c *pgconn.PgConn) error { return execute(ctx, c, "SELECT 1") })
}

// Disconnect has nothing to do: no connection outlasts its question.
func (e *Engine) Disconnect() {}

// statusLine is where the postmaster writes how it is, in its pid file (miscadmin.h, LOCK_FILE_LINE_PM_STATUS).
const statusLine = 8

// isReady says whether the server takes connections, by its own word.
func (e *Engine) isReady() bool {
	text, err := os.ReadFile(filepath.Join(e.dataDir(), pidFile))
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < statusLine {
		return false
	}
	status := strings.TrimSpace(lines[statusLine-1])
	return status == "ready" || status == "standby"
}

// The settings of sessions. None of their words are logged.
var (
	// sessionOfAdmin works on when tenants may not.
	sessionOfAdmin = map[string]string{
		"application_name": "coffer-guestagent", "default_transaction_read_only": "off",
		"log_statement": "none", "log_min_duration_statement": "-1", "log_min_error_statement": "panic",
	}
	// sessionOfAnybody has what a tenant's has.
	sessionOfAnybody = map[string]string{"application_name": "coffer-guestagent"}
)

// in connects to a database as the superuser for as long as do takes.
func (e *Engine) in(ctx context.Context, database string, do func(*pgconn.PgConn) error) error {
	return e.as(ctx, sessionOfAdmin, database, do)
}

func (e *Engine) as(ctx context.Context, session map[string]string, database string, do func(*pgconn.PgConn) error) error {
	config, err := plainConfig()
	if err != nil {
		return err
	}
	config.Host, config.Port = fmt.Sprintf("/proc/self/fd/%d", e.run.Fd()), port
	config.User, config.Password, config.Database = admin, "", database
	config.RuntimeParams = session
	c, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return unanswered(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }() // it has done its work
	return do(c)
}

// plainConfig has nothing of what the environment says; host, user and what else counts are the caller's to set.
func plainConfig() (*pgconn.Config, error) {
	config, err := pgconn.ParseConfig("host=/ user=nobody sslmode=disable")
	if err != nil {
		return nil, fmt.Errorf("connect to a database: %w", err)
	}
	config.Password, config.Database, config.Fallbacks = "", "", nil
	return config, nil
}

// execute runs a statement. Its errors are sentences without the statement.
func execute(ctx context.Context, c *pgconn.PgConn, statement string) error {
	_, err := c.Exec(ctx, statement).ReadAll()
	return refusal(err)
}

// row gives the values of a statement's first row; none when there is no row. It has no arguments: the language of
// replication knows none.
func row(ctx context.Context, c *pgconn.PgConn, statement string) ([]string, error) {
	results, err := c.Exec(ctx, statement).ReadAll()
	if err != nil || len(results) == 0 || len(results[0].Rows) == 0 {
		return nil, refusal(err)
	}
	var values []string
	for _, value := range results[0].Rows[0] {
		values = append(values, string(value))
	}
	return values, nil
}

// query gives the one value of a statement's one row, or empty when there is no row. Arguments are texts.
func query(ctx context.Context, c *pgconn.PgConn, statement string, args ...string) (string, error) {
	values := make([][]byte, len(args))
	for i, arg := range args {
		values[i] = []byte(arg)
	}
	result := c.ExecParams(ctx, statement, values, nil, nil, nil).Read()
	if result.Err != nil || len(result.Rows) == 0 {
		return "", refusal(result.Err)
	}
	return string(result.Rows[0][0]), nil
}

// The states (SQLSTATE) of errors that the request is to blame for, with what is wrong.
var blamed = map[string]string{
	"22023": "the character set and the collation do not go together",
	"42602": "a name is not allowed",
	"42622": "a name is too long",
	"42704": "the character set or the collation is not known",
	"42809": "the collation is not known",
	"42939": "a name is reserved",
}

// reasonThere is why what exists already is not made.
const reasonThere = "ALREADY_THERE"

// there are the states of what exists already: unique_violation, where two make it at once, duplicate_object and
// duplicate_database.
var there = []string{"23505", "42710", "42P04"}

// unanswered tells a server that is not there, or is about to come or go, from one that refuses.
func unanswered(err error) error {
	const comingOrGoing = "57P"
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || strings.HasPrefix(refused.Code, comingOrGoing) {
		return unreachable(err)
	}
	return refusal(err)
}

// refusal turns the server's error into one that shows nothing of the statement, which may hold a secret.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return unreachable(err)
	}
	if what, known := blamed[refused.Code]; known {
		return errs.New(errs.Invalid, "DATABASE_REFUSED", "The database refused: %s.", what)
	}
	reason := "DATABASE_REFUSED"
	if slices.Contains(there, refused.Code) {
		reason = reasonThere
	}
	return errs.New(errs.Internal, reason, "The database refused with error %s.", refused.Code)
}
