package gormstore

import (
	"context"
	"database/sql"

	"gorm.io/gorm"
)

// maxStatements bounds the statements kept prepared; there are about fifty.
const maxStatements = 256

// sqliteConn is SQLite's writing connection, for one goroutine at a time. It keeps its statements prepared: gorm and
// database/sql would prepare them again for each transaction, which takes longer than running them.
type sqliteConn struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

var _ gorm.ConnPool = (*sqliteConn)(nil)

func newSQLiteConn(conn *sql.Conn) *sqliteConn {
	return &sqliteConn{conn: conn, statements: map[string]*sql.Stmt{}}
}

func (c *sqliteConn) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if statement, known := c.statements[query]; known {
		return statement, nil
	}
	if len(c.statements) == maxStatements {
		c.forget()
	}
	statement, err := c.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.statements[query] = statement
	return statement, nil
}

func (c *sqliteConn) forget() {
	for _, statement := range c.statements {
		// A statement that fails to close reports again what its last run reported.
		_ = statement.Close()
	}
	clear(c.statements)
}

// PrepareContext prepares a statement that the caller closes.
func (c *sqliteConn) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return c.conn.PrepareContext(ctx, query)
}

// ExecContext runs a statement.
func (c *sqliteConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(ctx, args...)
}

// QueryContext runs a query.
func (c *sqliteConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args...)
}

// QueryRowContext runs a query for one row; a statement that cannot be prepared fails as the connection says it.
func (c *sqliteConn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	statement, err := c.prepared(ctx, query)
	if err != nil {
		return c.conn.QueryRowContext(ctx, query, args...)
	}
	return statement.QueryRowContext(ctx, args...)
}

func (c *sqliteConn) close() error {
	c.forget()
	return c.conn.Close()
}
