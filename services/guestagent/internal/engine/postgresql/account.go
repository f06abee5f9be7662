package postgresql

import (
	"cmp"
	"context"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// The names that a tenant may not take: Trove's, and those of PostgreSQL's own.
var (
	reservedDatabases = []string{"postgres", "template0", "template1"}
	reservedUsers     = []string{admin, "postgres", "public", "none"}
)

// CreateDatabases makes the databases that do not exist, each closed to all but its users.
func (e *Engine) CreateDatabases(ctx context.Context, databases []engine.Database) error {
	if len(databases) == 0 {
		return nil
	}
	return e.in(ctx, "postgres", func(c *pgconn.PgConn) error {
		for _, d := range databases {
			if err := createDatabase(ctx, c, d); err != nil {
				return err
			}
		}
		return nil
	})
}

func createDatabase(ctx context.Context, c *pgconn.PgConn, d engine.Database) error {
	if err := engine.CheckNames("database", []string{d.Name}, reservedDatabases); err != nil {
		return err
	}
	err := createMissing(ctx, c, "SELECT 1 FROM pg_database WHERE datname = $1", d.Name, "CREATE DATABASE "+identifier(d.Name)+form(d))
	if err != nil {
		return err
	}
	return execute(ctx, c, "REVOKE ALL ON DATABASE "+identifier(d.Name)+" FROM PUBLIC")
}

// createMissing makes what the question does not find. The session of an agent that has died may still be at it: then it is
// there a moment later.
func createMissing(ctx context.Context, c *pgconn.PgConn, question, name, statement string) error {
	found, err := query(ctx, c, question, name)
	if err != nil || found != "" {
		return err
	}
	err = execute(ctx, c, statement)
	if errs.IsReason(err, reasonThere) {
		return nil
	}
	return err
}

const findRole = "SELECT 1 FROM pg_roles WHERE rolname = $1"

// form is how a database's texts are kept. Only template0 may be copied into another form; a character set other than
// UTF-8 goes together with the collation C alone, where none is asked for.
func form(d engine.Database) string {
	if d.CharacterSet == "" && d.Collation == "" {
		return ""
	}
	form := " TEMPLATE template0"
	collation := d.Collation
	if d.CharacterSet != "" {
		form += " ENCODING " + literal(d.CharacterSet)
		if !strings.EqualFold(strings.ReplaceAll(d.CharacterSet, "-", ""), "utf8") {
			collation = cmp.Or(collation, "C")
		}
	}
	if collation != "" {
		form += " LC_COLLATE " + literal(collation) + " LC_CTYPE " + literal(collation)
	}
	return form
}

// CreateUsers makes the users and grants them all rights on their databases. PostgreSQL ties no user to a host.
func (e *Engine) CreateUsers(ctx context.Context, users []engine.User) error {
	for _, u := range users {
		if err := engine.CheckNames("user", []string{u.Name}, reservedUsers); err != nil {
			return err
		}
		if strings.HasPrefix(u.Name, engine.ReplicaPrefix) || u.Name == replicaGroup {
			return errs.New(errs.Invalid, "NAME_RESERVED", "The user name %q is reserved.", u.Name)
		}
		if err := engine.CheckNames("database", u.Databases, reservedDatabases); err != nil {
			return err
		}
		err := e.in(ctx, "postgres", func(c *pgconn.PgConn) error { return createUser(ctx, c, u) })
		if err != nil {
			return err
		}
		for _, database := range u.Databases {
			if err := e.grant(ctx, u.Name, database); err != nil {
				return err
			}
		}
	}
	return nil
}

// plain are the rights of a role that has none beyond its databases.
const plain = " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"

func createUser(ctx context.Context, c *pgconn.PgConn, u engine.User) error {
	if err := createMissing(ctx, c, findRole, u.Name, "CREATE ROLE "+identifier(u.Name)); err != nil {
		return err
	}
	kept, err := keptForm(u.Password)
	if err != nil {
		return err
	}
	return execute(ctx, c, "ALTER ROLE "+identifier(u.Name)+plain+" PASSWORD "+literal(kept))
}

// grant gives all rights on a database and its schema public. The schema's are the database's own, so they are given
// there.
func (e *Engine) grant(ctx context.Context, user, database string) error {
	return e.in(ctx, database, func(c *pgconn.PgConn) error {
		return execute(ctx, c, "GRANT ALL ON DATABASE "+identifier(database)+" TO "+identifier(user)+
			"; GRANT ALL ON SCHEMA public TO "+identifier(user))
	})
}

// identifier quotes a name.
func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal quotes a text. A backslash is one in every session, since standard_conforming_strings is on.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
