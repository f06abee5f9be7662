package gormstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The drivers.
const (
	DriverSQLite   = "sqlite"
	DriverPostgres = "postgres"
	DriverMySQL    = "mysql"
)

var drivers = []string{DriverSQLite, DriverPostgres, DriverMySQL}

// Config says which database keeps the state.
type Config struct {
	// Driver is sqlite, postgres or mysql; mysql is also MariaDB and Galera.
	Driver string `koanf:"driver"`
	// DSN is a file's path for sqlite; a URL or keywords as libpq takes them for postgres; user:password@tcp(host)/name
	// for mysql. It may hold a password and is never shown.
	DSN string `koanf:"dsn"`
	// MaxConnections bounds the connections; sqlite has one more, which writes. 0 means 16.
	MaxConnections int `koanf:"max_connections"`
}

const defaultConnections = 16

// Validate joins all that is wrong.
func (c Config) Validate() error {
	var faults []error
	if !slices.Contains(drivers, c.Driver) {
		faults = append(faults, fmt.Errorf("driver: %q is none of %s", c.Driver, strings.Join(drivers, ", ")))
	}
	if c.DSN == "" {
		faults = append(faults, errors.New("dsn: must be given"))
	}
	if c.MaxConnections < 0 {
		faults = append(faults, errors.New("max_connections: must not be negative"))
	}
	return errors.Join(faults...)
}

func (c Config) connections() int {
	if c.MaxConnections == 0 {
		return defaultConnections
	}
	return c.MaxConnections
}
