package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// Mount says where a disk's file system shall be, and whose.
type Mount struct {
	// Device is the disk, and Folder where it is mounted. Absolute.
	Device, Folder string
	// VolumeID is the volume's that the disk is.
	VolumeID string
	// Owner is the instance. The first one stays it: a volume of another instance is refused.
	Owner string
	// Note is a file on the machine's own disk, there while the volume is formatted. Absolute.
	Note string
}

// stateName is the agent's folder on the volume.
const stateName = ".coffer"

// StateDir is where the agent keeps what must live as long as the data.
func (m Mount) StateDir() string { return filepath.Join(m.Folder, stateName) }

// owner is the content of owner.json in the agent's folder.
type owner struct {
	InstanceID string `json:"instance_id"`
}

// Open makes the volume ready: formatted if it was blank, repaired if its machine died, mounted, and its instance's. It
// may be repeated.
func (m Mount) Open(ctx context.Context) error {
	if err := m.mount(ctx); err != nil {
		return fmt.Errorf("open volume: %w", err)
	}
	if err := m.claim(); err != nil {
		return errors.Join(fmt.Errorf("open volume: %w", err), os.NewSyscallError("unmount", unix.Unmount(m.Folder, 0)))
	}
	if err := os.Remove(m.Note); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open volume: %w", err)
	}
	return nil
}

func (m Mount) mount(ctx context.Context) error {
	if err := os.MkdirAll(m.Folder, 0o711); err != nil { //nolint:gosec // the database's user must pass through
		return err
	}
	switch now, err := mountAt(m.Folder); {
	case err != nil:
		return err
	case now.device == m.Device:
		return nil
	case now.device != "":
		return fmt.Errorf("%s is mounted at %s, where %s shall be", now.device, m.Folder, m.Device)
	}
	if err := m.format(ctx); err != nil {
		return err
	}
	if err := repair(ctx, m.Device); err != nil {
		return err
	}
	if err := fill(ctx, m.Device); err != nil {
		return err
	}
	err := unix.Mount(m.Device, m.Folder, kindOfVolumes, unix.MS_NOATIME|unix.MS_NODEV|unix.MS_NOSUID|unix.MS_NOEXEC,
		"errors=remount-ro")
	if err != nil {
		return fmt.Errorf("mount %s: %w", m.Device, err)
	}
	return nil
}

// repair brings a file system in order whose machine ended without unmounting it. What a person would have to decide is
// left alone.
func repair(ctx context.Context, device string, options ...string) error {
	const repaired = 1 | 2
	_, err := tool(ctx, "e2fsck", append(options, "-p", device)...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode()&^repaired == 0 {
		return nil
	}
	return err
}

// claim makes the volume the owner's, if it is nobody's, and refuses another's.
func (m Mount) claim() error {
	path := filepath.Join(m.StateDir(), "owner.json")
	var now owner
	switch err := durable.ReadJSON(path, &now); {
	case err == nil && now.InstanceID == m.Owner:
		return nil
	case err == nil:
		return fmt.Errorf("the volume on %s is of instance %s, not of %s, and is left alone", m.Device, now.InstanceID, m.Owner)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := m.checkEmpty(); err != nil {
		return err
	}
	// The database's user passes through to its configuration.
	if err := errors.Join(os.MkdirAll(m.StateDir(), 0o711), os.Chmod(m.Folder, 0o711)); err != nil { //nolint:gosec // see above
		return err
	}
	if err := durable.WriteJSON(path, owner{InstanceID: m.Owner}); err != nil {
		return err
	}
	return durable.SyncFolder(m.Folder)
}

// checkEmpty admits what a new file system has, and a claim that was interrupted.
func (m Mount) checkEmpty() error {
	entries, err := os.ReadDir(m.Folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := entry.Name(); name != "lost+found" && name != stateName {
			return fmt.Errorf("the disk %s has a file system with data that are not ours, and is left alone", m.Device)
		}
	}
	return nil
}
