package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/go-sql-driver/mysql"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// unheard runs statements that stay this server's own: they are not written to the binlog, so they are no part of the
// history that replicas follow.
func (e *Engine) unheard(ctx context.Context, run func(execute func(statement string, args ...any) error) error) (err error) {
	db, err := e.connect()
	if err != nil {
		return err
	}
	session, err := db.Conn(ctx)
	if err != nil {
		return unanswered(err)
	}
	// The session is not used again: what is set in it would hold for whoever gets it next.
	defer func() {
		_ = session.Raw(func(any) error { return sql.ErrConnDone })
		_ = session.Close() // a session that ends has nothing to say
	}()
	execute := func(statement string, args ...any) error {
		if _, err := session.ExecContext(ctx, statement, args...); err != nil {
			return unanswered(err)
		}
		return nil
	}
	if err := execute("SET SESSION sql_log_bin = 0"); err != nil {
		return err
	}
	return run(execute)
}

// ask runs a query of one row.
func (e *Engine) ask(ctx context.Context, query string, into ...any) error {
	db, err := e.connect()
	if err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, query).Scan(into...); err != nil {
		return unanswered(err)
	}
	return nil
}

// numbers is the first column of a query's rows.
func (e *Engine) numbers(ctx context.Context, query string, args ...any) (numbers []int64, err error) {
	db, err := e.connect()
	if err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, unanswered(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, fmt.Errorf("ask the database: %w", err)
		}
		numbers = append(numbers, n)
	}
	return numbers, rows.Err()
}

// unanswered tells a database that is not there from one that refuses.
func unanswered(err error) error {
	var refused *mysql.MySQLError
	if errors.As(err, &refused) && !slices.Contains(leaving, refused.Number) {
		return refusal(err)
	}
	return errs.New(errs.Unavailable, "DATABASE_UNREACHABLE", "The database does not answer.").Because(err)
}

// leaving are the errors of a server that stops, and of a session that was ended.
var leaving = []uint16{1053, 1927}

// unknownThread is the error of a KILL that comes too late.
const unknownThread = 1094

// endSessions ends those sessions that a condition on the process list names.
func (e *Engine) endSessions(ctx context.Context, condition string, args ...any) error {
	ids, err := e.numbers(ctx, "SELECT ID FROM information_schema.PROCESSLIST WHERE "+condition, args...)
	if err != nil {
		return err
	}
	db, err := e.connect()
	if err != nil {
		return err
	}
	for _, id := range ids {
		_, err := db.ExecContext(ctx, "KILL HARD CONNECTION ?", id)
		var refused *mysql.MySQLError
		if errors.As(err, &refused) && refused.Number == unknownThread {
			continue
		}
		if err != nil {
			return unanswered(err)
		}
	}
	return nil
}
