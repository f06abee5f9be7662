package mariadb

import (
	"cmp"
	"context"
	"strings"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// The names that a tenant may not take: Trove's, and those of MariaDB's own.
var (
	reservedDatabases = []string{"mysql", "information_schema", "performance_schema", "sys"}
	reservedUsers     = []string{admin, "root", "mariadb.sys", "PUBLIC"}
)

// CreateDatabases makes the databases that do not exist.
func (e *Engine) CreateDatabases(ctx context.Context, databases []engine.Database) error {
	for _, d := range databases {
		if err := engine.CheckNames("database", []string{d.Name}, reservedDatabases); err != nil {
			return err
		}
		statement, args := "CREATE DATABASE IF NOT EXISTS "+identifier(d.Name), []any(nil)
		if d.CharacterSet != "" {
			statement, args = statement+" CHARACTER SET ?", append(args, d.CharacterSet)
		}
		if d.Collation != "" {
			statement, args = statement+" COLLATE ?", append(args, d.Collation)
		}
		if err := e.execute(ctx, statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// CreateUsers makes the users and grants them all rights on their databases.
func (e *Engine) CreateUsers(ctx context.Context, users []engine.User) error {
	for _, u := range users {
		if err := checkUser(u.Name); err != nil {
			return err
		}
		if err := engine.CheckNames("database", u.Databases, reservedDatabases); err != nil {
			return err
		}
		host := cmp.Or(u.Host, "%")
		err := e.execute(ctx, "CREATE OR REPLACE USER ?@? IDENTIFIED BY PASSWORD ?", u.Name, host, nativeHash(u.Password))
		if err != nil {
			return err
		}
		for _, database := range u.Databases {
			err := e.execute(ctx, "GRANT ALL PRIVILEGES ON "+pattern(database)+".* TO ?@?", u.Name, host)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func checkUser(name string) error {
	if strings.HasPrefix(strings.ToLower(name), engine.ReplicaPrefix) {
		return engine.CheckNames("user", []string{name}, []string{name})
	}
	return engine.CheckNames("user", []string{name}, reservedUsers)
}

// identifier quotes a name.
func identifier(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// pattern quotes the name of a database for a grant, where _ and % would stand for other names too.
func pattern(name string) string {
	return identifier(strings.NewReplacer(`\`, `\\`, "_", `\_`, "%", `\%`).Replace(name))
}
