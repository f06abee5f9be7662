package local

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/pause"
)

// locks are the bytes of one file. A lock of a byte belongs to one opening of the file (an "open file description"
// lock), so it keeps goroutines and processes apart alike, ends with its process however that ends, and leaves
// nothing behind that would have to be removed.
type locks struct{ path string }

const (
	lockAllocation  = 0
	lockSupervision = 1
	lockTemplates   = 2
	lockInstances   = 1 << 10
)

const (
	lockRetryFirst = time.Millisecond
	lockRetryMost  = 50 * time.Millisecond
)

// open makes the file.
func (l locks) open() error {
	f, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// instance keeps two calls about one instance apart, and out what is no instance's id. Two instances that fall on one byte
// wait for each other, which is harmless.
func (l locks) instance(ctx context.Context, id string) (release func(), err error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return l.take(ctx, lockInstances+int64(h.Sum32()), lockRetryMost)
}

func (l locks) allocation(ctx context.Context) (release func(), err error) {
	return l.take(ctx, lockAllocation, lockRetryMost)
}

func (l locks) templates(ctx context.Context) (release func(), err error) {
	return l.take(ctx, lockTemplates, lockRetryMost)
}

// supervision may be waited for as long as another provider lives, so it is asked for rarely.
func (l locks) supervision(ctx context.Context) (release func(), err error) {
	return l.take(ctx, lockSupervision, time.Second)
}

func (l locks) take(ctx context.Context, position int64, most time.Duration) (func(), error) {
	f, err := os.OpenFile(l.path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	release := func() { _ = f.Close() } // nothing was written: closing is what releases
	byteRange := unix.Flock_t{Type: unix.F_WRLCK, Whence: 0, Start: position, Len: 1}
	for wait := lockRetryFirst; ; wait = min(2*wait, most) {
		err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &byteRange)
		if err == nil {
			return release, nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EINTR) {
			release()
			return nil, fmt.Errorf("lock %s: %w", l.path, err)
		}
		if !pause.For(ctx, wait) {
			release()
			return nil, context.Cause(ctx)
		}
	}
}
