package template

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// fresh is the file in a clone that may not be on the disk yet. It holds the id of the boot it was made in: after
// another boot the clone is worth nothing, and no user has seen it.
const fresh = ".coffer-fresh"

const (
	workers = 4
	// chunk is what a worker copies at a time, in bytes.
	chunk = 256 << 10
)

// Clone makes a data directory from a template's, unless it exists, and gives it to a user. It is whole when this
// returns, and survives a crash of the machine from Settle on.
func Clone(ctx context.Context, from, to string, give func(path string) error) error {
	boot, err := bootID()
	if err != nil {
		return err
	}
	if done, err := alreadyThere(to, boot); done || err != nil {
		return err
	}
	making := filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+"-cloning")
	if err := os.RemoveAll(making); err != nil { // of an agent that died
		return fmt.Errorf("clone template: %w", err)
	}
	err = copyTree(ctx, from, making, give)
	if err == nil {
		err = os.WriteFile(filepath.Join(making, fresh), []byte(boot), 0o600)
	}
	if err == nil {
		err = os.Rename(making, to)
	}
	if errors.Is(err, unix.ENOSPC) {
		return errs.New(errs.Internal, "VOLUME_FULL", "The volume has no room for a new data directory.").
			Because(errors.Join(err, os.RemoveAll(making)))
	}
	if err != nil {
		return fmt.Errorf("clone template: %w", errors.Join(err, os.RemoveAll(making)))
	}
	return nil
}

// Settle puts a clone on the disk, if it is not known to be there.
func Settle(path string) error {
	mark := filepath.Join(path, fresh)
	if _, err := os.Lstat(mark); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	switch err := syncFileSystem(path); {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EIO):
		return errs.New(errs.Internal, "VOLUME_UNWRITABLE",
			"The volume cannot be written: %v. The disk below it may be full or broken.", err).Because(err)
	case err != nil:
		return fmt.Errorf("settle %s: %w", path, err)
	}
	if err := os.Remove(mark); err != nil {
		return fmt.Errorf("settle %s: %w", path, err)
	}
	return durable.SyncFolder(path)
}

// alreadyThere says whether a data directory is there to be kept; one that a crash of the machine may have torn before
// anybody used it is removed.
func alreadyThere(path, boot string) (bool, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	made, err := os.ReadFile(filepath.Join(path, fresh))
	if errors.Is(err, fs.ErrNotExist) || string(made) == boot {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, os.RemoveAll(path)
}

func copyTree(ctx context.Context, from, to string, give func(string) error) error {
	var copier copier
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	walk := filepath.WalkDir(from, func(path string, item fs.DirEntry, err error) error {
		if err = errors.Join(err, context.Cause(ctx)); err != nil {
			return err
		}
		target := to + strings.TrimPrefix(path, from)
		if item.IsDir() {
			return errors.Join(os.Mkdir(target, 0o700), give(target)) //nolint:gosec // the source is the agent's own
		}
		group.Go(func() error { return errors.Join(copier.copy(path, target), give(target)) })
		return nil
	})
	// The copies' error comes first: the walk's is then only that they were cancelled.
	return errors.Join(group.Wait(), walk)
}

// copier copies files, by shared blocks until the file system refuses that.
type copier struct{ noSharing atomic.Bool }

// chunks are used again: one for each of hundreds of small files would keep the garbage collector at work.
var chunks = sync.Pool{New: func() any { return new([chunk]byte) }}

func (c *copier) copy(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(c.fill(target, source), target.Close())
}

func (c *copier) fill(target, source *os.File) error {
	if !c.noSharing.Load() {
		if unix.IoctlFileClone(int(target.Fd()), int(source.Fd())) == nil {
			return nil
		}
		c.noSharing.Store(true)
	}
	buffer, _ := chunks.Get().(*[chunk]byte)
	defer chunks.Put(buffer)
	// Bare, so that none of the two brings a buffer of its own.
	_, err := io.CopyBuffer(struct{ io.Writer }{target}, struct{ io.Reader }{source}, buffer[:])
	return err
}

func bootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id)), err
}
