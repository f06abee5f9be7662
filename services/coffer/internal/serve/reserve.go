package serve

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/pulse"
)

const (
	// reserveSize is what the control plane goes on with when the disk is full: enough for thousands of tasks.
	reserveSize = 64 << 20
	// reserveFloor is how little room may be left before the reserve is given up without anybody's asking.
	reserveFloor = 8 << 20
	// reserveInterval is the pause between two looks at the disk.
	reserveInterval = 5 * time.Second
)

// errNoReserve is what /healthz says. Deletions go on, and they are what helps.
var errNoReserve = errors.New("disk: there is no room for the control plane's reserve; delete instances, or make room")

// reserve is a file in the data folder that takes room and is good for nothing: on a full disk it is removed, so that the
// state can be written, and so an instance be deleted. It is made again when there is room for it twice.
type reserve struct {
	path   string
	logger *slog.Logger

	mu   sync.Mutex
	gone bool
}

// openReserve finds the reserve, or makes it, or gives it up at once: whoever starts on a full disk has to write too.
func openReserve(dir string, logger *slog.Logger) *reserve {
	r := &reserve{path: filepath.Join(dir, "reserve"), logger: logger}
	_, err := os.Stat(r.path)
	r.gone = err != nil
	r.look()
	if r.gone {
		logger.Warn(errNoReserve.Error(), "data_dir", dir)
	}
	return r
}

// run looks after the reserve until the context ends.
func (r *reserve) run(ctx context.Context) error {
	look := time.NewTimer(pulse.Next(reserveInterval))
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
			look.Reset(pulse.Next(reserveInterval))
			r.look()
		}
	}
}

// giveUp is for those who found the disk full.
func (r *reserve) giveUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove()
}

// Ready says that the reserve is gone, if it is.
func (r *reserve) Ready() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return errNoReserve
	}
	return nil
}

func (r *reserve) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	var disk unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(r.path), &disk); err != nil {
		r.logger.Error("the disk of the data folder cannot be looked at", "error", err)
		return
	}
	switch free := int64(disk.Bavail) * disk.Bsize; { //nolint:gosec // no disk is that large
	case free < reserveFloor:
		r.remove()
	case r.gone && free >= 2*reserveSize:
		r.make()
	}
}

func (r *reserve) remove() {
	if r.gone {
		return
	}
	if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.logger.Error("the disk is full and its reserve cannot be given up", "error", err)
		return
	}
	r.gone = true
	r.logger.Error("the disk is full: its reserve was given up", "bytes", reserveSize)
}

// make puts the reserve in its place whole or not at all.
func (r *reserve) make() {
	beside := r.path + ".new"
	err := allocate(beside, reserveSize)
	if err == nil {
		err = os.Rename(beside, r.path)
	}
	if err != nil {
		r.logger.Error("the disk's reserve cannot be made", "error", errors.Join(err, os.Remove(beside)))
		return
	}
	r.gone = false
	r.logger.Info("the disk has its reserve", "bytes", reserveSize)
}

// allocate makes a file that really takes its room.
func allocate(path string, size int64) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(file.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) {
		_, err = io.CopyN(file, zeros{}, size)
	}
	return errors.Join(err, file.Close())
}

// zeros is an endless file of nothing.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
