package serve

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// folder is a data folder that this process alone serves.
type folder struct {
	dir string
	// id stays the same for the life of the folder.
	id   string
	lock *os.File
}

// openFolder makes the folder when it is missing and takes its lock. The lock ends with the process, however that ends,
// so holding it proves that a former process is dead.
func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the data folder: %w", err)
	}
	f := &folder{dir: dir, lock: lock}
	if err := f.take(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return f, nil
}

func (f *folder) take() error {
	err := unix.Flock(int(f.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		holder, readErr := os.ReadFile(f.lock.Name())
		if readErr != nil || len(holder) == 0 {
			holder = []byte("unknown")
		}
		return fmt.Errorf("another `coffer serve` runs on the data folder %s (process %s): stop it, or give another --data-dir",
			f.dir, strings.TrimSpace(string(holder)))
	}
	if err != nil {
		return fmt.Errorf("lock the data folder %s: %w", f.dir, err)
	}
	// Over what is there, for which there is room on a full disk too.
	holder := []byte(fmt.Sprintln(os.Getpid()))
	_, err = f.lock.WriteAt(holder, 0)
	if err := errors.Join(err, f.lock.Truncate(int64(len(holder)))); err != nil {
		return fmt.Errorf("write the lock of the data folder: %w", err)
	}
	if f.id, err = f.drawID(); err != nil {
		return fmt.Errorf("name the data folder: %w", err)
	}
	return nil
}

// drawID reads the folder's id, or makes it.
func (f *folder) drawID() (string, error) {
	path := filepath.Join(f.dir, "id")
	text, err := os.ReadFile(path)
	if id := strings.TrimSpace(string(text)); err == nil && id != "" {
		return id, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	id := strings.ToLower(rand.Text()[:12])
	return id, writeWhole(path, []byte(id+"\n"))
}

// release gives the folder free.
func (f *folder) release() error { return f.lock.Close() }

// writeWhole puts a file in its place whole or not at all, readable by its owner alone.
func writeWhole(path string, content []byte) error {
	beside := path + ".new"
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(beside, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
