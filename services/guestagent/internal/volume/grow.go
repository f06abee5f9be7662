package volume

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
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
	path := find(program)
	if path == "" {
		return errs.New(errs.Unsupported, "PROGRAM_MISSING", "The program %s is not on the server.", program)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if err != nil && bytes.Contains(out, []byte("Permission denied to resize")) {
		return errs.New(errs.Unsupported, "VOLUME_FIXED",
			"The kernel lets a file system of the kind %s grow in use only for those with CAP_SYS_RESOURCE.", m.kind).Because(err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(out))
	}
	return nil
}

func deviceBytes(path string) (int64, error) {
	device, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer device.Close()
	return device.Seek(0, io.SeekEnd)
}

func find(program string) string {
	for _, folder := range []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin"} {
		if path := filepath.Join(folder, program); proc.IsProgram(path) {
			return path
		}
	}
	return ""
}

type mount struct{ kind, device string }

// mountAt is what is mounted at a folder, the last of several, or nothing. It reads proc_pid_mountinfo(5).
func mountAt(folder string) (m mount, err error) {
	folder, err = filepath.EvalSymlinks(folder)
	if err != nil {
		return m, err
	}
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return m, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		place, source, found := strings.Cut(lines.Text(), " - ")
		places, sources := strings.Fields(place), strings.Fields(source)
		if found && len(places) > 4 && len(sources) > 1 && unescape(places[4]) == folder {
			m = mount{kind: sources[0], device: unescape(sources[1])}
		}
	}
	return m, lines.Err()
}

// unescape reads the four characters that mountinfo writes as octal numbers.
func unescape(text string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(text)
}
