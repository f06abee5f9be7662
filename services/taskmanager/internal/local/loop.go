package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/pause"
)

// attachLoop answers with the device that the image is attached to already, which may be mounted where we do not see
// it (a service manager's private mounts): one device mounted twice is one file system, two devices on one image
// would destroy it. Else it takes a free one, for which it may meet others.
func attachLoop(image string) (*os.File, error) {
	if device, err := attachedLoop(image); err != nil || device != "" {
		if err != nil {
			return nil, err
		}
		return os.OpenFile(device, os.O_RDWR, 0)
	}
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close() // nothing was written
	backing, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer backing.Close() // the loop device has its own reference
	for range 100 {
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, err
		}
		device, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", n), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		err = configureLoop(device, backing, image)
		if err == nil {
			return device, nil
		}
		if closed := device.Close(); closed != nil || !errors.Is(err, unix.EBUSY) {
			return nil, errors.Join(err, closed)
		}
	}
	return nil, errors.New("others took every free one first")
}

// loopDevices is where the kernel tells of devices that are none of hardware, the loop devices among them.
const loopDevices = "/sys/devices/virtual/block"

// attachedLoop is empty when the image is not attached.
func attachedLoop(image string) (device string, err error) {
	devices, err := os.ReadDir(loopDevices)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	for _, device := range devices {
		if !strings.HasPrefix(device.Name(), "loop") {
			continue
		}
		backing, err := os.ReadFile(filepath.Join(loopDevices, device.Name(), "loop/backing_file"))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENODEV) { // not attached, or no more
			continue
		}
		if err != nil {
			return "", err
		}
		if strings.TrimSpace(string(backing)) == image {
			return filepath.Join("/dev", device.Name()), nil
		}
	}
	return "", nil
}

// configureLoop leaves the image in the page cache: InnoDB reads past the cache of the volume's own file system, and
// with direct I/O below it too, each start of a database would wait for the disk (measured: 15 ms of 120).
func configureLoop(device, backing *os.File, image string) error {
	config := unix.LoopConfig{Fd: uint32(backing.Fd())} //nolint:gosec // a descriptor
	copy(config.Info.File_name[:], image)
	config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
	return unix.IoctlLoopConfigure(int(device.Fd()), &config)
}

// isMounted says whether the folder is a mount point; false also when it does not exist.
func isMounted(dir string) (bool, error) {
	var inside, outside unix.Stat_t
	err := unix.Stat(dir, &inside)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err == nil {
		err = unix.Stat(filepath.Dir(dir), &outside)
	}
	if err != nil {
		return false, fmt.Errorf("look at %s: %w", dir, err)
	}
	return inside.Dev != outside.Dev, nil
}

const (
	unmountRetries = 100
	unmountPause   = 10 * time.Millisecond
)

// errBusy says that somebody stands in a mounted volume.
var errBusy = errors.New("the volume is in use")

// unmount takes the mount away, if there is one. What a process held open a moment ago may take a moment to go.
func unmount(ctx context.Context, dir string) error {
	for range unmountRetries {
		mounted, err := isMounted(dir)
		if err != nil || !mounted {
			return err
		}
		err = unix.Unmount(dir, unix.UMOUNT_NOFOLLOW)
		if err == nil {
			continue // twice mounted is mounted still
		}
		if !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("unmount %s: %w", dir, err)
		}
		if !pause.For(ctx, unmountPause) {
			return context.Cause(ctx)
		}
	}
	return fmt.Errorf("unmount %s: %w", dir, errBusy)
}

// loopWorks tries the whole way once, with an image as large as the smallest volume: to be root is not enough in a container.
func loopWorks(ctx context.Context, dir string, fs fileSystem) error {
	try, err := os.MkdirTemp(dir, "loop-probe-")
	if err != nil {
		return err
	}
	image, target := filepath.Join(try, "image"), filepath.Join(try, "mount")
	err = os.Mkdir(target, 0o700)
	if err == nil {
		err = fs.create(ctx, image, gib)
	}
	if err == nil {
		err = fs.mount(image, target)
	}
	if unmounted := unmount(ctx, target); unmounted != nil {
		return errors.Join(err, unmounted)
	}
	return errors.Join(err, os.RemoveAll(try))
}
