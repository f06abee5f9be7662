package postgresql

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

const (
	// globalsName is the file with the roles. It holds what the database keeps of their passwords.
	globalsName = "globals.sql"
	// dumpPattern are the files with a database each.
	dumpPattern = "database-*.dump"
)

// dump writes all roles and all databases but PostgreSQL's own, in which tenants have nothing.
func (e *Engine) dump(ctx context.Context, folder string) error {
	if err := e.dumpGlobals(ctx, filepath.Join(folder, globalsName)); err != nil {
		return err
	}
	former, err := filepath.Glob(filepath.Join(folder, dumpPattern))
	if err != nil {
		return err
	}
	for _, half := range former { // of an attempt that was cut
		if err := os.Remove(half); err != nil {
			return err
		}
	}
	names, err := e.ownDatabases(ctx)
	if err != nil {
		return err
	}
	for i, name := range names {
		file := filepath.Join(folder, strings.Replace(dumpPattern, "*", fmt.Sprintf("%06d", i), 1))
		if err := run(e.tool(ctx, "pg_dump", name, "--format=custom", "--create", "--file="+file)); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) dumpGlobals(ctx context.Context, path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer file.Close() // what is written is checked by its reader, and lost with the machine
	cmd := e.tool(ctx, "pg_dumpall", "postgres", "--globals-only")
	cmd.Stdout = file
	return run(cmd)
}

// ownDatabases are those that tenants may have something in.
func (e *Engine) ownDatabases(ctx context.Context) (names []string, err error) {
	err = e.in(ctx, "postgres", func(c *pgconn.PgConn) error {
		results, err := c.Exec(ctx,
			"SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> 'postgres' ORDER BY datname").ReadAll()
		if err != nil {
			return refusal(err)
		}
		for _, row := range results[0].Rows {
			names = append(names, string(row[0]))
		}
		return nil
	})
	return names, err
}

// restore reads what dump wrote into a server that has nothing yet.
func (e *Engine) restore(ctx context.Context, folder string) error {
	globals, err := os.ReadFile(filepath.Join(folder, globalsName))
	if err != nil {
		return errs.New(errs.WrongState, "NO_DUMP", "There is no dump of the former version's data.").Because(err)
	}
	cmd := e.tool(ctx, "psql", "postgres", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-")
	cmd.Stdin = strings.NewReader(withoutOurs(string(globals)))
	if err := run(cmd); err != nil {
		return err
	}
	dumps, err := filepath.Glob(filepath.Join(folder, dumpPattern))
	if err != nil {
		return err
	}
	slices.Sort(dumps)
	for _, dump := range dumps {
		if err := run(e.tool(ctx, "pg_restore", "postgres", "--create", "--exit-on-error", "--dbname=postgres", dump)); err != nil {
			return err
		}
	}
	return nil
}

// withoutOurs leaves out the making of the roles that every data directory begins with.
func withoutOurs(globals string) string {
	var text strings.Builder
	for line := range strings.Lines(globals) {
		made, isRole := strings.CutPrefix(strings.TrimSpace(line), "CREATE ROLE ")
		if isRole && slices.Contains([]string{admin, replicaGroup}, strings.Trim(made, `";`)) {
			continue
		}
		text.WriteString(line)
	}
	return text.String()
}

// run runs a client program to its end. Of what it says the first complaint is told, never the statement that follows.
func run(cmd *exec.Cmd) error {
	var said bytes.Buffer
	cmd.Stderr = &said
	if cmd.Stdout == nil {
		cmd.Stdout = io.Discard
	}
	if err := cmd.Run(); err != nil {
		name := toolName(cmd)
		if bytes.Contains(said.Bytes(), []byte("No space left on device")) {
			return errs.New(errs.Internal, "VOLUME_FULL", "The volume has no room for the upgrade.").Because(err)
		}
		return errs.New(errs.Internal, "UPGRADE_FAILED", "%s failed: %s", name, firstComplaint(said.String(), "ERROR:  ", "error: ")).
			Because(fmt.Errorf("%s: %w", name, err))
	}
	return nil
}

// toolName is the program, also of one that is run in a root folder.
func toolName(cmd *exec.Cmd) string {
	for _, argument := range cmd.Args {
		if name := filepath.Base(argument); slices.Contains([]string{"pg_dump", "pg_dumpall", "psql", "pg_restore"}, name) {
			return name
		}
	}
	return filepath.Base(cmd.Path)
}
