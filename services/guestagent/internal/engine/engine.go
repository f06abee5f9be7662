package engine

import (
	"context"
	"slices"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/process"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

// Engine is one kind of database server on one machine. Its methods may be called from several goroutines, and all that
// change something may be repeated: after a crash they are.
type Engine interface {
	// Database is how its process is started, asked and stopped.
	process.Database

	// Version is the exact version of the programs found.
	Version() string
	// Capabilities are what a workflow may ask for.
	Capabilities() []string
	// Install makes the data directory, if there is none, and the administrator's account that takes effect at the
	// first start.
	Install(ctx context.Context) error
	// Configure writes the configuration that the next start reads.
	Configure(memoryMiB int) error
	// Settle is for after the first start: what Install wrote is on the disk when it returns, and is not made again.
	Settle(ctx context.Context) error
	// CreateDatabases makes those that do not exist. Invalid: a name, character set or collation is not allowed.
	CreateDatabases(ctx context.Context, databases []Database) error
	// CreateUsers makes users or gives them the password again. Invalid: a name is not allowed.
	CreateUsers(ctx context.Context, users []User) error
	// SetReadOnly makes the database refuse changes by everybody but the administrator.
	SetReadOnly(ctx context.Context, on bool) error
}

// Database is one to be created.
type Database struct {
	Name string
	// CharacterSet and Collation are the engine's names; empty means its default.
	CharacterSet, Collation string
}

// User is one to be created, with all rights on its databases.
type User struct {
	Name string
	// Host is from where it may connect; empty means from everywhere.
	Host      string
	Password  string
	Databases []string
}

// Open finds an engine's programs and opens the engine for a server's folder. Where several versions stand side by side,
// it takes the wanted one, exact or a series, or else another of its series; empty is the newest.
type Open func(ctx context.Context, server settings.Server, version string) (Engine, error)

// Kinds are the engines an agent knows, by Trove's manager name.
type Kinds map[string]Open

// Open opens an engine. Invalid: there is none of that name.
func (k Kinds) Open(ctx context.Context, manager, version string, server settings.Server) (Engine, error) {
	open, known := k[manager]
	if !known {
		return nil, errs.New(errs.Invalid, "MANAGER_UNKNOWN", "The guest agent has no engine %q.", manager)
	}
	return open(ctx, server, version)
}

// CheckNames refuses reserved and empty names; an engine's own rules come on top.
func CheckNames(what string, names, reserved []string) error {
	for _, name := range names {
		if name == "" || slices.Contains(reserved, name) {
			return errs.New(errs.Invalid, "NAME_RESERVED", "The %s name %q is reserved or empty.", what, name)
		}
	}
	return nil
}
