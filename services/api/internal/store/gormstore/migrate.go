package gormstore

import (
	"context"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

var dialects = map[string]goose.Dialect{
	DriverSQLite:   goose.DialectSQLite3,
	DriverPostgres: goose.DialectPostgres,
	DriverMySQL:    goose.DialectMySQL,
}

// Migrate brings the schema to the newest version. Of several that start at once one does it and the others wait.
func Migrate(ctx context.Context, cfg Config) (err error) {
	if err := cfg.Validate(); err != nil {
		return err
	}
	db, err := openDatabase(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	release, err := db.lockMigrations(ctx, cfg.Driver)
	if err != nil {
		return translate("wait for another migration", err)
	}
	defer func() { err = errors.Join(err, release()) }()
	provider, err := db.migrator(cfg.Driver)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the %s database: %w", cfg.Driver, err)
	}
	return nil
}

// migrated fails unless every migration that this program knows was applied; a newer schema is fine.
func (d *database) migrated(ctx context.Context, kind string) error {
	provider, err := d.migrator(kind)
	if err != nil {
		return err
	}
	pending, err := provider.HasPending(ctx)
	if err != nil {
		return translate("read the schema's version", err)
	}
	if pending {
		return errors.New("the database's schema is older than this program: run coffer-api migrate up")
	}
	return nil
}

func (d *database) migrator(kind string) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations/"+kind)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	provider, err := goose.NewProvider(dialects[kind], d.schema, files)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return provider, nil
}

// lockMigrations waits until no other program migrates. The lock is its connection's, so that it never outlives the
// program. SQLite needs none: its file belongs to one program, which a lock in its data folder ensures.
func (d *database) lockMigrations(ctx context.Context, kind string) (release func() error, err error) {
	statement, known := map[string]string{
		DriverPostgres: "SELECT pg_advisory_lock(6014520061) IS NOT NULL",
		DriverMySQL:    "SELECT GET_LOCK(CONCAT('coffer-migrations-', DATABASE()), 600) = 1",
	}[kind]
	if !known {
		return func() error { return nil }, nil
	}
	conn, err := d.schema.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var locked bool
	if err := conn.QueryRowContext(ctx, statement).Scan(&locked); err != nil || !locked {
		return nil, errors.Join(err, errors.New("the lock is held by another program"), conn.Close())
	}
	// A connection that says it is bad is closed rather than kept, and the lock goes with it.
	return func() error {
		err := conn.Raw(func(any) error { return driver.ErrBadConn })
		if errors.Is(err, driver.ErrBadConn) {
			return nil
		}
		return err
	}, nil
}
