package e2e_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// copiers is how many files the guest agent copies at once.
const copiers = 4

var chunks = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// copyFolder copies as the guest agent does: several files at once, by shared blocks where the file system has them.
func copyFolder(from, to string) error {
	var group errgroup.Group
	group.SetLimit(copiers)
	walk := filepath.WalkDir(from, func(path string, item fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := to + strings.TrimPrefix(path, from)
		if item.IsDir() {
			return errors.Join(os.Mkdir(target, 0o700), give(target))
		}
		group.Go(func() error { return errors.Join(copyFile(path, target), give(target)) })
		return nil
	})
	return errors.Join(group.Wait(), walk)
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if unix.IoctlFileClone(int(target.Fd()), int(source.Fd())) != nil {
		chunk, _ := chunks.Get().(*[256 << 10]byte)
		_, err = io.CopyBuffer(struct{ io.Writer }{target}, struct{ io.Reader }{source}, chunk[:])
		chunks.Put(chunk)
	}
	return errors.Join(err, target.Close())
}

// give makes a file the database's own, when we may.
func give(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Lchown(path, byHandUser, byHandUser)
}
