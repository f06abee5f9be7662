package gormstore

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	gormmysql "gorm.io/driver/mysql"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// database is an opened database: on SQLite one connection that writes apart from the readers' pool, elsewhere one
// pool for all.
type database struct {
	// read is for queries outside units.
	read *gorm.DB
	// unwatched says that reads are not worth interrupting.
	unwatched bool
	// pool is that of read.
	pool *sql.DB
	// schema is where migrations are applied.
	schema  *sql.DB
	closers []func() error
}

func openDatabase(cfg Config) (*database, error) {
	switch cfg.Driver {
	case DriverSQLite:
		return openSQLite(cfg)
	case DriverPostgres:
		return openPostgres(cfg)
	case DriverMySQL:
		return openMySQL(cfg)
	}
	return nil, fmt.Errorf("unknown driver %q", cfg.Driver)
}

func openPostgres(cfg Config) (*database, error) {
	parsed, err := pgx.ParseConfig(cfg.DSN)
	if err != nil {
		// pgx's own error repeats the DSN with its password removed, but not in every form of DSN.
		return nil, errors.New("the dsn is not one that postgres understands")
	}
	return openPool(cfg, stdlib.OpenDB(*parsed), func(pool *sql.DB) gorm.Dialector {
		return gormpostgres.New(gormpostgres.Config{Conn: pool})
	})
}

func openMySQL(cfg Config) (*database, error) {
	parsed, err := mysql.ParseDSN(cfg.DSN)
	if err != nil {
		return nil, errors.New("the dsn is not of the form user:password@tcp(host:port)/name")
	}
	// An UPDATE that finds its row but changes nothing counts as one row, as in the other databases.
	parsed.ClientFoundRows = true
	// One round trip for a statement instead of three.
	parsed.InterpolateParams = true
	parsed.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(parsed)
	if err != nil {
		return nil, errors.New("the dsn asks for what the mysql driver does not have")
	}
	return openPool(cfg, sql.OpenDB(connector), func(pool *sql.DB) gorm.Dialector {
		return gormmysql.New(gormmysql.Config{Conn: pool})
	})
}

func openPool(cfg Config, pool *sql.DB, dialector func(*sql.DB) gorm.Dialector) (*database, error) {
	pool.SetMaxOpenConns(cfg.connections())
	pool.SetMaxIdleConns(cfg.connections())
	pool.SetConnMaxIdleTime(time.Minute)
	db, err := gorm.Open(dialector(pool), gormConfig())
	if err != nil {
		return nil, errors.Join(translate("connect", err), pool.Close())
	}
	return &database{read: db, pool: pool, schema: pool, closers: []func() error{pool.Close}}, nil
}

func gormConfig() *gorm.Config {
	return &gorm.Config{
		// Its logger would print statements with their values; failures are returned and logged by the caller.
		Logger:                 logger.Discard,
		SkipDefaultTransaction: true,
		TranslateError:         true,
		// Columns by name: SELECT * breaks prepared statements of a running release when the next one adds a column.
		QueryFields: true,
	}
}

func (d *database) close() error {
	var faults []error
	for _, closer := range d.closers {
		faults = append(faults, closer())
	}
	return errors.Join(faults...)
}
