package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/go-sql-driver/mysql"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// Signs is the socket's folder: the server makes its socket when it begins to listen.
func (e *Engine) Signs() string { return e.server.RunDir() }

// Answers asks a query over the kept connection.
func (e *Engine) Answers(ctx context.Context) error {
	if err := e.listens(); err != nil {
		return err
	}
	db, err := e.connect()
	if err != nil {
		return err
	}
	var one int
	if err := db.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("ask the database: %w", err)
	}
	return nil
}

// listens looks for the socket before anybody connects: a driver that finds none tries again, which would keep the
// server from its start.
func (e *Engine) listens() error {
	if _, err := os.Stat(e.socketFromHere()); err != nil {
		return fmt.Errorf("look for the database's socket: %w", err)
	}
	return nil
}

// SetReadOnly makes the database refuse changes; the administrator's are not.
func (e *Engine) SetReadOnly(ctx context.Context, on bool) error {
	return e.execute(ctx, "SET GLOBAL read_only = ?", on)
}

// Disconnect drops the connections; the next use makes new ones.
func (e *Engine) Disconnect() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.connection != nil {
		_ = e.connection.Close() // of a server that has ended, mostly
		e.connection = nil
	}
}

func (e *Engine) connect() (*sql.DB, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.connection != nil {
		return e.connection, nil
	}
	password, err := e.adminPassword()
	if err != nil {
		return nil, fmt.Errorf("read the administrator's password: %w", err)
	}
	config := mysql.NewConfig()
	config.User, config.Passwd = admin, password
	config.Net, config.Addr, config.DialFunc = "unix", e.socketFromHere(), dial
	config.InterpolateParams = true
	config.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	e.connection = sql.OpenDB(connector)
	e.connection.SetMaxIdleConns(1)
	e.connection.SetMaxOpenConns(10)
	return e.connection, nil
}

// execute runs a statement. Its errors are sentences without the statement.
func (e *Engine) execute(ctx context.Context, statement string, args ...any) error {
	db, err := e.connect()
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, statement, args...); err != nil {
		return unanswered(err)
	}
	return nil
}

// The server's numbers of errors that the request is to blame for, with what is wrong.
var blamed = map[uint16]string{
	1102: "the database name is not allowed",
	1115: "the character set is not known",
	1253: "the collation is not one of the character set",
	1273: "the collation is not known",
	1059: "a name is too long",
	1470: "a name is too long",
	1372: "a password is not allowed",
}

// refusal turns the server's error into one that shows nothing of the statement, which may hold a secret.
func refusal(err error) error {
	var refused *mysql.MySQLError
	if !errors.As(err, &refused) {
		return fmt.Errorf("ask the database: %w", err)
	}
	if what, known := blamed[refused.Number]; known {
		return errs.New(errs.Invalid, "DATABASE_REFUSED", "The database refused: %s.", what)
	}
	return errs.New(errs.Internal, "DATABASE_REFUSED", "The database refused with error %d.", refused.Number)
}
