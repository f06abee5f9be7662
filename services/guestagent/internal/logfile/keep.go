package logfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

const (
	// limit is how large a log may be, in bytes. One former log of each name is kept beside it.
	limit = 16 << 20
	// interval is the pause between two looks at the logs.
	interval = time.Minute
	// former is the end of the name of what a log was before it was emptied.
	former = ".1"
)

// Keep bounds all logs of a folder until the context ends. They must be written in append mode.
func Keep(ctx context.Context, folder string, log *slog.Logger) {
	look := time.NewTicker(interval)
	defer look.Stop()
	for {
		if err := bound(folder, limit); err != nil {
			log.Warn("the logs could not be bounded", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// bound begins every log anew that is larger than so many bytes.
func bound(folder string, limit int64) error {
	paths, err := filepath.Glob(filepath.Join(folder, "*.log"))
	if err != nil {
		return err
	}
	var faults []error
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err == nil && info.Mode().IsRegular() && info.Size() > limit {
			err = turn(path)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("bound %s: %w", path, err))
		}
	}
	return errors.Join(faults...)
}

// turn copies a log and empties it, the latter also where there is no room for the copy. What is written between the two
// is lost: that is the price of a file that others hold open.
func turn(path string) error {
	log, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(keep(log, path+former), log.Truncate(0), log.Close())
}

func keep(log *os.File, path string) error {
	beside := path + ".new"
	kept, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640) //nolint:gosec // operators' groups read logs
	if err != nil {
		return err
	}
	_, err = io.Copy(kept, log)
	if err := errors.Join(err, kept.Close()); err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	return os.Rename(beside, path)
}
