package gormstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	sqlite "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// reasonFull is of a write for which the database had no room.
const reasonFull = "DATABASE_FULL"

// translate makes a driver's error one of ours; those that are ours already pass unchanged. Drivers' texts stay in
// the cause, for the logs.
func translate(doing string, err error) error {
	var ours *errs.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return store.ErrNotFound
	}
	err = fmt.Errorf("%s: %w", doing, err)
	switch {
	case duplicated(err):
		return errs.New(errs.Conflict, "DUPLICATE", "Such a resource exists already.").Because(err)
	case lost(err):
		return errs.New(errs.Unavailable, "DATABASE_UNAVAILABLE", "The service's database cannot be reached.").Because(err)
	case full(err):
		return errs.New(errs.Unavailable, reasonFull, "The service's database cannot be written.").Because(err)
	}
	return err
}

func duplicated(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }

// lost says whether the database could not be reached, or hung up.
func lost(err error) bool {
	var network net.Error
	var connect *pgconn.ConnectError
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) || errors.As(err, &connect) {
		return true
	}
	if state := postgresState(err); state != "" {
		// 08: connection; 57P: shut down or starting; 53300: too many connections.
		return strings.HasPrefix(state, "08") || strings.HasPrefix(state, "57P") || state == "53300"
	}
	switch mysqlNumber(err) {
	case 1040, 1053, 1047: // too many connections; shutting down; a Galera node that is not in sync
		return true
	}
	switch sqliteCode(err) & 0xff {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_CANTOPEN:
		return true
	}
	return false
}

// full says whether the database has no room or its disk fails.
func full(err error) bool {
	switch sqliteCode(err) & 0xff {
	case codes.SQLITE_FULL, codes.SQLITE_IOERR, codes.SQLITE_READONLY:
		return true
	}
	number := mysqlNumber(err)
	return strings.HasPrefix(postgresState(err), "53") || number == 1114 || number == 1021 || number == 1290
}

// repeatable says whether the same transaction may pass when it is run again: a deadlock, a serialization failure
// (which Galera reports as a deadlock), or a lock not had in time.
func repeatable(err error) bool {
	switch postgresState(err) {
	case "40001", "40P01", "55P03":
		return true
	}
	switch mysqlNumber(err) {
	case 1205, 1213, 1020:
		return true
	}
	return false
}

func postgresState(err error) string {
	var failure *pgconn.PgError
	if errors.As(err, &failure) {
		return failure.Code
	}
	return ""
}

func mysqlNumber(err error) uint16 {
	var failure *mysql.MySQLError
	if errors.As(err, &failure) {
		return failure.Number
	}
	return 0
}

func sqliteCode(err error) int {
	var failure *sqlite.Error
	if errors.As(err, &failure) {
		return failure.Code()
	}
	return 0
}
