package gormstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
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
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
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
func (d *database) migrated(ctx context.Context, driver string) error {
	provider, err := d.migrator(driver)
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

func (d *database) migrator(driver string) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations/"+driver)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	options, err := migrationLock(driver)
	if err != nil {
		return nil, fmt.Errorf("prepare the migrations' lock: %w", err)
	}
	provider, err := goose.NewProvider(dialects[driver], d.schema, files, options...)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return provider, nil
}

func migrationLock(driver string) ([]goose.ProviderOption, error) {
	switch driver {
	case DriverPostgres:
		locker, err := lock.NewPostgresSessionLocker()
		return []goose.ProviderOption{goose.WithSessionLocker(locker)}, err
	case DriverMySQL:
		locker, err := lock.NewMySQLTableLocker()
		return []goose.ProviderOption{goose.WithLocker(locker)}, err
	}
	// SQLite's state belongs to one program, which a lock in its data folder ensures.
	return nil, nil
}
