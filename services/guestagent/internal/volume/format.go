package volume

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// kindOfVolumes is the kind of a volume's file system. It grows while it is used.
const kindOfVolumes = "ext4"

// edge is how much of a disk's beginning and end must be zero for it to count as blank, bytes. Whatever is not known by
// its signature has something there.
const edge = 1 << 20

// format makes a file system on a blank disk, and leaves one that has one as it is. Anything else it refuses. While it
// works, a note of the volume lies on another disk: one of which only half a file system was made is not blank any more,
// but ours to make anew as long as it has no whole one.
func (m Mount) format(ctx context.Context) error {
	kind, err := signature(ctx, m.Device)
	switch {
	case err != nil:
		return err
	case kind == kindOfVolumes:
		return nil
	case kind != "":
		return fmt.Errorf("the disk %s is not blank and is left alone: it has %s", m.Device, kind)
	}
	begun, err := m.wasBegun()
	if err != nil {
		return err
	}
	if !begun {
		if err := checkBlank(m.Device); err != nil {
			return err
		}
		if err := durable.WriteFile(m.Note, []byte(m.VolumeID), 0o600); err != nil {
			return err
		}
	}
	return makeFileSystem(ctx, m.Device)
}

func (m Mount) wasBegun() (bool, error) {
	text, err := os.ReadFile(m.Note)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return string(text) == m.VolumeID, err
}

func makeFileSystem(ctx context.Context, device string) error {
	_, err := tool(ctx, "mkfs."+kindOfVolumes, "-q", "-F", "-L", "coffer-data",
		// What the agent keeps is beside the data: it has some room though the database has filled its own.
		"-m", "1",
		// A new volume holds nothing to be discarded, and need not be written through before it is used.
		"-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1", device)
	return err
}

// signature is what a disk has, in a few words, or empty.
func signature(ctx context.Context, device string) (string, error) {
	const nothing, ambiguous = 2, 8
	out, err := tool(ctx, "blkid", "--probe", "--output", "export", device)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == nothing:
		return "", nil
	case errors.As(err, &exit) && exit.ExitCode() == ambiguous:
		return "several signatures at once", nil
	case err != nil:
		return "", err
	}
	words := map[string]string{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		words[key] = value
	}
	if words["TYPE"] != "" {
		return words["TYPE"], nil
	}
	return strings.TrimSpace("a signature that is no file system's " + words["PTTYPE"]), nil
}

func checkBlank(device string) error {
	disk, err := os.Open(device)
	if err != nil {
		return err
	}
	defer disk.Close()
	size, err := disk.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size < 2*edge {
		return fmt.Errorf("the disk %s has %d bytes only", device, size)
	}
	// What the kernel remembers of a disk may be older than what is on it.
	if err := unix.Fadvise(int(disk.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("read %s afresh: %w", device, err)
	}
	for _, at := range []int64{0, size - edge} {
		part := make([]byte, edge)
		if _, err := disk.ReadAt(part, at); err != nil {
			return fmt.Errorf("look whether %s is blank: %w", device, err)
		}
		if len(bytes.Trim(part, "\x00")) > 0 {
			return fmt.Errorf("the disk %s is not blank and is left alone: it has data of no known kind", device)
		}
	}
	return nil
}
