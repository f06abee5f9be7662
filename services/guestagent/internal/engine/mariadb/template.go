package mariadb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/template"
)

// MakeTemplate makes the template of a version, an exact one, if it is missing, and gives its data directory. Invalid:
// the programs are of another version.
func MakeTemplate(ctx context.Context, folder string, programs engine.Programs, version string) (string, error) {
	p, err := findPrograms(ctx, programs, folder)
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
	return data, versions.Note(p.Programs, p.server, p.version, folder)
}

func otherVersion(wanted, found string) error {
	return errs.New(errs.Invalid, "VERSION_MISSING", "The server has MariaDB %s, not %s.", found, wanted)
}

func (p programs) template(ctx context.Context, folder string) (string, error) {
	return template.Ensure(ctx, folder, Manager+"-"+p.version, p.build)
}

// noAccounts leaves the account that owns the views of the schema sys and no other: neither root nor anonymous.
const noAccounts = `DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys';
DELETE FROM mysql.proxies_priv;
`

// build makes the data directory with temporary files of its own: a server that starts removes those of any other that
// has the same folder for them.
func (p programs) build(ctx context.Context, path string, uid uint32) (err error) {
	temporary := filepath.Join(filepath.Dir(path), "tmp")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	if uid != 0 {
		if err := os.Chown(temporary, int(uid), int(uid)); err != nil {
			return err
		}
	}
	settings := []string{"--datadir=" + path, "--tmpdir=" + temporary, fmt.Sprintf("--innodb-log-file-size=%dM", smallRedoMiB)}
	install := append([]string{
		"--no-defaults", "--skip-test-db", "--skip-name-resolve",
		"--force", // though the machine's name cannot be looked up: no account of the template has one
		"--auth-root-authentication-method=normal",
	}, settings...)
	bootstrap := append([]string{"--no-defaults", "--bootstrap"}, settings...)
	if p.Prefix != "" {
		install = append(install, "--basedir="+filepath.Join(p.Prefix, "usr"))
		bootstrap = append(bootstrap, "--basedir="+filepath.Join(p.Prefix, "usr"))
	}
	p.Folders = []string{filepath.Dir(path)}
	if err := p.runAs(ctx, uid, "", p.install, install...); err != nil {
		return err
	}
	return p.runAs(ctx, uid, noAccounts, p.server, bootstrap...)
}

// runAs runs a program to its end in the first of its folders; uid 0 is the caller's user. The error holds what
// its output names as the cause.
func (p programs) runAs(ctx context.Context, uid uint32, input, path string, args ...string) error {
	cmd := p.Exec(ctx, proc.Command{Path: path, Args: args, Dir: p.Folders[0], UID: uid, GID: uid})
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(path), err, cause(out))
	}
	return nil
}

// cause is the first error that a program's output tells of, or else the end of it: mariadb-install-db ends with advice.
func cause(out []byte) []byte {
	for line := range bytes.Lines(out) {
		if bytes.Contains(line, []byte("ERROR")) {
			return bytes.TrimSpace(line)
		}
	}
	out = bytes.TrimSpace(out)
	return out[max(0, len(out)-500):]
}
