package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
)

// Measure finds the use of a volume. With a limit in bytes it adds up the blocks of the folder's files, else it asks
// the file system.
func Measure(ctx context.Context, folder string, limit uint64) (report.Volume, error) {
	if limit == 0 {
		return fileSystem(folder)
	}
	used, err := walk(ctx, folder)
	return report.Volume{Used: used, Total: limit}, err
}

func fileSystem(folder string) (report.Volume, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return report.Volume{}, fmt.Errorf("measure %s: %w", folder, err)
	}
	block := uint64(s.Bsize) //nolint:gosec // a size
	return report.Volume{Used: (s.Blocks - s.Bfree) * block, Total: s.Blocks * block}, nil
}

// walk adds up what stands on the disk; files that vanish meanwhile count nothing.
func walk(ctx context.Context, folder string) (uint64, error) {
	var used uint64
	err := filepath.WalkDir(folder, func(_ string, item fs.DirEntry, err error) error {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		var info fs.FileInfo
		if err == nil {
			info, err = item.Info()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			used += uint64(s.Blocks) * 512 //nolint:gosec // a count, in the unit of stat(2)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("measure %s: %w", folder, err)
	}
	return used, nil
}
