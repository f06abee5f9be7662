package gormstore

import (
	"context"
	"database/sql"
	"sync"

	"gorm.io/gorm"
)

// maxStatements bounds the statements kept prepared; there are about fifty.
const maxStatements = 256

// statements is SQLite's connection, or pool of connections, with its statements kept prepared. gorm's own cache
// prepares them again for each transaction, which takes longer than running them.
type statements struct {
	source preparer
	mu     sync.Mutex
	kept   map[string]*sql.Stmt
}

// preparer is what *sql.DB and *sql.Conn have in common.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

var _ gorm.ConnPool = (*statements)(nil)

func keepStatements(source preparer) *statements {
	return &statements{source: source, kept: map[string]*sql.Stmt{}}
}

// prepared answers nil when there are too many statements to keep one more.
func (s *statements) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if statement, known := s.kept[query]; known {
		return statement, nil
	}
	if len(s.kept) == maxStatements {
		return nil, nil
	}
	statement, err := s.source.PrepareContext(ctx, query) //nolint:sqlclosecheck // kept as long as its connection
	if err != nil {
		return nil, err
	}
	s.kept[query] = statement
	return statement, nil
}

// PrepareContext prepares a statement that the caller closes.
func (s *statements) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return s.source.PrepareContext(ctx, query)
}

// ExecContext runs a statement.
func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, err := s.prepared(ctx, query) //nolint:sqlclosecheck // kept as long as its connection
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return s.source.ExecContext(ctx, query, args...)
	}
	return statement.ExecContext(ctx, args...)
}

// QueryContext runs a query.
func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	statement, err := s.prepared(ctx, query) //nolint:sqlclosecheck // kept as long as its connection
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return s.source.QueryContext(ctx, query, args...)
	}
	return statement.QueryContext(ctx, args...)
}

// QueryRowContext runs a query for one row; one that cannot be prepared fails in the words of the connection.
func (s *statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	statement, err := s.prepared(ctx, query) //nolint:sqlclosecheck // kept as long as its connection
	if err != nil || statement == nil {
		return s.source.QueryRowContext(ctx, query, args...)
	}
	return statement.QueryRowContext(ctx, args...)
}
