package template

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// Templates never depend on who asked for them, so all are built by one account; the engines refuse to run as root.
const nobody = 65534

// Builder builds a data directory at a path that does not exist, in a folder that the builder's user owns. A uid of 0
// is the caller's own user.
type Builder func(ctx context.Context, path string, uid uint32) error

// Ensure gives the data directory of a template and builds it where it is missing. A second caller, in this process or
// another, waits for the first.
func Ensure(ctx context.Context, folder, name string, build Builder) (string, error) {
	done := filepath.Join(folder, name)
	if complete(done) {
		return data(done), nil
	}
	if err := os.MkdirAll(folder, 0o711); err != nil { //nolint:gosec // nobody must pass through
		return "", fmt.Errorf("make template %s: %w", name, err)
	}
	unlock, err := lock(filepath.Join(folder, "."+name+".lock"))
	if err != nil {
		return "", fmt.Errorf("make template %s: %w", name, err)
	}
	defer unlock()
	if complete(done) {
		return data(done), nil
	}
	if err := makeAt(ctx, folder, name, build); err != nil {
		return "", fmt.Errorf("make template %s: %w", name, err)
	}
	return data(done), nil
}

func makeAt(ctx context.Context, folder, name string, build Builder) error {
	making := filepath.Join(folder, ".making-"+name)
	if err := os.RemoveAll(making); err != nil { // of a maker that died
		return err
	}
	if err := os.Mkdir(making, 0o711); err != nil { //nolint:gosec // see Ensure
		return err
	}
	var uid uint32
	if os.Geteuid() == 0 {
		uid = nobody
		if err := os.Chown(making, nobody, nobody); err != nil {
			return err
		}
	}
	if err := build(ctx, data(making), uid); err != nil {
		return errors.Join(err, os.RemoveAll(making))
	}
	// From here on nobody but the maker may change it.
	if err := os.Lchown(making, os.Geteuid(), os.Getegid()); err != nil {
		return err
	}
	if err := syncFileSystem(making); err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(making, "complete"), nil, 0o444); err != nil {
		return err
	}
	if err := os.Rename(making, filepath.Join(folder, name)); err != nil {
		return err
	}
	return durable.SyncFolder(folder)
}

func data(template string) string { return filepath.Join(template, "data") }

func complete(template string) bool {
	_, err := os.Stat(filepath.Join(template, "complete"))
	return err == nil
}

// lock waits until no other maker holds the lock; the kernel frees it when its holder dies.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(&fs.PathError{Op: "lock", Path: path, Err: err}, file.Close())
	}
	return func() { _ = file.Close() }, nil
}

func syncFileSystem(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(folder.Fd())), folder.Close())
}
