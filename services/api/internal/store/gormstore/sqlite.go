package gormstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// sqliteDriver is the name under which modernc.org/sqlite registers itself.
const sqliteDriver = "sqlite"

func openSQLite(cfg Config) (_ *database, err error) {
	if err := createPrivately(cfg.DSN); err != nil {
		return nil, err
	}
	db := &database{unwatched: true}
	defer func() {
		if err != nil {
			err = errors.Join(translate("open the database file", err), db.close())
		}
	}()
	writer, err := sql.Open(sqliteDriver, sqliteDSN(cfg.DSN, "foreign_keys(1)", fmt.Sprintf("wal_autocheckpoint(%d)", longestLog)))
	if err != nil {
		return nil, err
	}
	writer.SetMaxOpenConns(1)
	db.closers = append(db.closers, writer.Close)
	db.schema = writer
	readers, err := sql.Open(sqliteDriver, sqliteDSN(cfg.DSN, "query_only(1)"))
	if err != nil {
		return nil, err
	}
	readers.SetMaxOpenConns(cfg.connections())
	readers.SetMaxIdleConns(cfg.connections())
	db.closers = append(db.closers, readers.Close)
	db.pool = readers
	db.read, err = gorm.Open(newSQLiteDialector(keepStatements(readers)), gormConfig())
	return db, err
}

// takeWriter takes the writing connection for the one goroutine that writes; nothing else can use it any more.
func (d *database) takeWriter(ctx context.Context) (*gorm.DB, error) {
	conn, err := d.schema.Conn(ctx)
	if err != nil {
		return nil, translate("open the database file", err)
	}
	d.closers = slices.Insert(d.closers, 0, conn.Close)
	db, err := gorm.Open(newSQLiteDialector(keepStatements(conn)), gormConfig())
	return db, translate("open the database file", err)
}

// createPrivately makes the file readable by its owner alone; SQLite gives its log and index files the same mode.
func createPrivately(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the database file: %w", err)
	}
	return file.Close()
}

func sqliteDSN(path string, pragmas ...string) string {
	query := url.Values{"_pragma": append(pragmas, "busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)",
		// What a savepoint may have to take back is kept in memory and not in a temporary file.
		"temp_store(MEMORY)")}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
}

// sqliteDialector teaches gorm's dialect the error codes of the driver without cgo; on its own it knows but those of
// the one with cgo.
type sqliteDialector struct {
	*sqlite.Dialector
}

var _ gorm.ErrorTranslator = sqliteDialector{}

func newSQLiteDialector(pool gorm.ConnPool) gorm.Dialector {
	return sqliteDialector{&sqlite.Dialector{DriverName: sqliteDriver, Conn: pool}}
}

func (d sqliteDialector) Translate(err error) error {
	var failure *driver.Error
	if !errors.As(err, &failure) {
		return err
	}
	switch failure.Code() {
	case codes.SQLITE_CONSTRAINT_PRIMARYKEY, codes.SQLITE_CONSTRAINT_UNIQUE:
		return gorm.ErrDuplicatedKey
	case codes.SQLITE_CONSTRAINT_FOREIGNKEY:
		return gorm.ErrForeignKeyViolated
	}
	return err
}
