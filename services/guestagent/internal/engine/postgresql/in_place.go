package postgresql

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// nobody runs pg_upgrade where the database has a user of its own: pg_upgrade refuses root, and wants a user that has a
// name.
const nobody = 65534

// reaches says whether pg_upgrade can be run: it wants the programs of both versions in one place.
func (e *Engine) reaches(ctx context.Context, version string) (programs, bool) {
	found, err := findPrograms(ctx, e.programs.Programs, version, e.server.TemplatesDir)
	return found, err == nil && series(found.version) == series(version)
}

// convertInPlace makes a new data directory and lets pg_upgrade take the former one's files over into it. Both are hard
// links of the same files then, so the former one is worth nothing any more.
func (e *Engine) convertInPlace(ctx context.Context, former programs, folder string) error {
	place, err := newPlace(folder, e.dataDir())
	if err != nil {
		return err
	}
	err = e.upgradeAt(ctx, former, place)
	return errors.Join(err, e.ownAll(e.dataDir()), e.server.Give(folder), place.remove())
}

func (e *Engine) upgradeAt(ctx context.Context, former programs, at place) error {
	uid := uint32(0)
	if os.Geteuid() == 0 {
		uid = nobody
	}
	if err := at.give(uid); err != nil {
		return err
	}
	ours := e.programs
	ours.Folders = append([]string{at.work, at.sockets}, ours.Folders...)
	if err := ours.initdb(ctx, filepath.Join(at.work, "new"), uid); err != nil {
		return err
	}
	// Nobody else reaches the sockets' folder, so whoever comes in by them is pg_upgrade.
	options := "-c hba_file=" + filepath.Join(at.work, accessName) + " -c log_statement=none"
	err := ours.runAs(ctx, uid, "", "pg_upgrade", "--link", "--username="+admin,
		"--old-bindir="+former.folder, "--new-bindir="+ours.folder,
		"--old-datadir="+filepath.Join(at.work, "old"), "--new-datadir="+filepath.Join(at.work, "new"),
		"--socketdir="+at.sockets, "--old-options="+options, "--new-options="+options)
	if err != nil {
		return errs.New(errs.Internal, "UPGRADE_FAILED", "pg_upgrade failed; the agent's log says more.").Because(err)
	}
	if err := os.Rename(filepath.Join(at.work, "new"), e.dataDir()); err != nil {
		return err
	}
	return durable.SyncFolder(filepath.Dir(e.dataDir()))
}

// ownAll gives a data directory to the database's user, if there is one.
func (e *Engine) ownAll(path string) error {
	err := filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, e.server.Give(path))
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// place is where pg_upgrade works.
type place struct {
	// work has the two data directories, old and new, and what pg_upgrade writes.
	work string
	// sockets is short, as a socket's path must be.
	sockets string
}

// newPlace moves the former data directory to the place; what an interrupted attempt left there is removed.
func newPlace(folder, dataDir string) (place, error) {
	at := place{work: filepath.Join(folder, "in-place")}
	if err := errors.Join(os.RemoveAll(at.work), os.Mkdir(at.work, 0o700)); err != nil {
		return at, fmt.Errorf("make a place for the conversion: %w", err)
	}
	var err error
	if at.sockets, err = os.MkdirTemp("", "coffer-"); err != nil {
		return at, fmt.Errorf("make a folder for sockets: %w", err)
	}
	rule := []byte("local all " + admin + " trust\n")
	if err := os.WriteFile(filepath.Join(at.work, accessName), rule, 0o600); err != nil {
		return at, errors.Join(err, os.Remove(at.sockets))
	}
	return at, os.Rename(dataDir, filepath.Join(at.work, "old"))
}

// give hands the place over to pg_upgrade's user, who must reach it.
func (p place) give(uid uint32) error {
	if uid == 0 {
		return nil
	}
	if err := errors.Join(os.Lchown(filepath.Dir(p.work), nobody, nobody), os.Lchown(p.sockets, nobody, nobody)); err != nil {
		return err
	}
	return filepath.WalkDir(p.work, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, nobody, nobody)) //nolint:gosec // nobody works in it while no database runs
	})
}

func (p place) remove() error { return errors.Join(os.RemoveAll(p.sockets), os.RemoveAll(p.work)) }
