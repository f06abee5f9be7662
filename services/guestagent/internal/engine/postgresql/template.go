package postgresql

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/template"
)

// MakeTemplate makes the template of a version, an exact one, if it is missing, and gives its data directory. Invalid:
// the programs are of another version.
func MakeTemplate(ctx context.Context, folder string, among engine.Programs, version string) (string, error) {
	p, err := findPrograms(ctx, among, version, folder)
	if err != nil {
		return "", err
	}
	if version != p.version {
		return "", otherVersion(version, p.version)
	}
	data, err := p.template(ctx, folder)
	if err != nil {
		return "", err
	}
	return data, versions.Note(among, p.program(kind.Program), p.version, folder)
}

func (p programs) template(ctx context.Context, folder string) (string, error) {
	return template.Ensure(ctx, folder, Manager+"-"+p.version, p.build)
}

// closed leaves everybody's databases to the superuser: a tenant enters those that it is given, and no others. Before
// PostgreSQL 15, everybody might also make tables in every schema public.
const closed = `REVOKE ALL ON DATABASE postgres FROM PUBLIC
REVOKE ALL ON DATABASE template1 FROM PUBLIC
REVOKE CREATE ON SCHEMA public FROM PUBLIC
CREATE ROLE ` + replicaGroup + ` NOLOGIN
`

// build makes what every data directory begins as.
func (p programs) build(ctx context.Context, path string, uid uint32) error {
	p.Folders = []string{filepath.Dir(path)}
	if err := p.initdb(ctx, path, uid); err != nil {
		return err
	}
	// What template1 has, each new database gets.
	return p.runAs(ctx, uid, closed, "postgres", "--single", "-D", path, "template1")
}

// initdb makes a data directory in the first of the folders. It wants its user in passwd, which postgres itself does not.
func (p programs) initdb(ctx context.Context, path string, uid uint32) error {
	return p.runAs(ctx, uid, "", "initdb",
		"--pgdata="+path, "--username="+admin, "--auth=reject", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums",
		"--no-sync", "--no-instructions")
}

// runAs runs a program to its end in the first of its folders; uid 0 is the caller's user. The error holds the end of
// its output.
func (p programs) runAs(ctx context.Context, uid uint32, input, name string, args ...string) error {
	cmd := p.Exec(ctx, proc.Command{Path: p.program(name), Args: args, Dir: p.Folders[0], UID: uid, GID: uid})
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, lastLines(out))
	}
	return nil
}

func lastLines(out []byte) []byte {
	out = bytes.TrimSpace(out)
	return out[max(0, len(out)-500):]
}
