package volume

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// Grow makes a mounted file system fill its device, while it is used; a folder that is not a mount point is left as it
// is. Unsupported: it is of a kind that cannot, the program for it is missing, or the device is not seen to have so many
// GiB yet.
func Grow(ctx context.Context, folder string, size int) error {
	m, err := mountAt(folder)
	if err != nil || m.kind == "" {
		return err
	}
	if has, err := deviceBytes(m.device); err != nil {
		return fmt.Errorf("measure %s: %w", m.device, err)
	} else if has < int64(size)<<30 {
		return errs.New(errs.Unsupported, "VOLUME_NOT_GROWN", "The machine sees %d MiB of the volume's %d GiB.", has>>20, size)
	}
	var program string
	var args []string
	switch m.kind {
	case "ext2", "ext3", "ext4":
		program, args = "resize2fs", []string{m.device}
	case "xfs":
		program, args = "xfs_growfs", []string{folder}
	default:
		return errs.New(errs.Unsupported, "VOLUME_FIXED", "A file system of the kind %s cannot be grown.", m.kind)
	}
	_, err = tool(ctx, program, args...)
	var failed *toolError
	if errors.As(err, &failed) && bytes.Contains(failed.said, []byte("Permission denied to resize")) {
		return errs.New(errs.Unsupported, "VOLUME_FIXED",
			"The kernel lets a file system of the kind %s grow in use only for those with CAP_SYS_RESOURCE.", m.kind).Because(err)
	}
	return err
}

// fill makes a file system that is not mounted fill its device. It is how one grows that cannot in use.
func fill(ctx context.Context, device string) error {
	_, err := tool(ctx, "resize2fs", device)
	var failed *toolError
	if !errors.As(err, &failed) || !bytes.Contains(failed.said, []byte("e2fsck -f")) {
		return err
	}
	if err := repair(ctx, device, "-f"); err != nil {
		return err
	}
	_, err = tool(ctx, "resize2fs", device)
	return err
}

func deviceBytes(path string) (int64, error) {
	device, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer device.Close()
	return device.Seek(0, io.SeekEnd)
}
