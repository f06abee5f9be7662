package volume

import (
	"bytes"
	"context"
	"errors"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// Grow makes a mounted file system fill its device, while it is used; a folder that is not a mount point is left as it
// is. Unsupported: it is of a kind that cannot, or the program for it is missing.
func Grow(ctx context.Context, folder string) error {
	m, err := mountAt(folder)
	if err != nil || m.kind == "" {
		return err
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
