package gormstore

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// sqliteDriver is the name under which modernc.org/sqlite registers itself.
const sqliteDriver = "sqlite"

func openSQLite(cfg Config) (*database, error) {
	if err := createPrivately(cfg.DSN); err != nil {
		return nil, err
	}
	writer, err := sql.Open(sqliteDriver, sqliteDSN(cfg.DSN, "_txlock", "immediate", "_pragma", "foreign_keys(1)"))
	if err != nil {
		return nil, translate("open the database file", err)
	}
	writer.SetMaxOpenConns(1)
	write, err := gorm.Open(newSQLiteDialector(writer), gormConfig())
	if err != nil {
		return nil, errors.Join(translate("open the database file", err), writer.Close())
	}
	readers, err := sql.Open(sqliteDriver, sqliteDSN(cfg.DSN, "_pragma", "query_only(1)"))
	if err != nil {
		return nil, errors.Join(translate("open the database file", err), writer.Close())
	}
	readers.SetMaxOpenConns(cfg.connections())
	readers.SetMaxIdleConns(cfg.connections())
	read, err := gorm.Open(newSQLiteDialector(readers), gormConfig())
	if err != nil {
		return nil, errors.Join(translate("open the database file", err), readers.Close(), writer.Close())
	}
	return &database{write: write, read: read, pools: []*sql.DB{readers, writer}}, nil
}

// createPrivately makes the file readable by its owner alone; SQLite gives its log and index files the same mode.
func createPrivately(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the database file: %w", err)
	}
	return file.Close()
}

func sqliteDSN(path string, options ...string) string {
	query := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"}}
	for i := 0; i < len(options); i += 2 {
		query.Add(options[i], options[i+1])
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
}

// sqliteDialector teaches gorm's dialect the error codes of the driver without cgo; on its own it knows but those of
// the one with cgo.
type sqliteDialector struct {
	*sqlite.Dialector
}

var _ gorm.ErrorTranslator = sqliteDialector{}

func newSQLiteDialector(pool *sql.DB) gorm.Dialector {
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
