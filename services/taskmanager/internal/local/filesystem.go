package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// fileSystem is a kind of file system that volumes are made with.
type fileSystem struct {
	name string
	// overhead is what it takes of a device beside the data: images are larger by that.
	overhead int64
	// make is the command line that formats an image, less the image.
	make []string
	// options are those of its mount.
	options string
	// grows says why one could not grow in use on this host; the rest is tried.
	grows func() error
}

// fileSystems are tried in this order. ext4 takes less than 2 MiB of a new image where xfs takes 64, and both are formatted
// and mounted in 10 to 20 ms; but the kernel lets an ext4 grow in use only for those with CAP_SYS_RESOURCE, which root in a
// container often has not.
var fileSystems = []fileSystem{
	{
		name: "ext4",
		// Nothing has to be discarded or zeroed in an image that is a hole, and no block is kept back for root.
		make: []string{
			"mkfs.ext4", "-q", "-F", "-m", "0", "-J", "size=16", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1",
		},
		// The tables of free inodes are zero in an image that was a hole: no thread needs to write them.
		options: "noinit_itable,errors=remount-ro",
		grows:   mayExceedResources,
	},
	{
		name: "xfs", overhead: 64 << 20,
		make:  []string{"mkfs.xfs", "-q", "-f", "-K"},
		grows: func() error { return present("xfs_growfs") },
	},
}

// fileSystemOf is the kind of a volume; those without a name are of the first.
func fileSystemOf(name string) (fileSystem, error) {
	for _, fs := range fileSystems {
		if fs.name == name || name == "" {
			return fs, nil
		}
	}
	return fileSystem{}, fmt.Errorf("volumes of the kind %q are not known", name)
}

// findFileSystem is the first that works here, mounts and growth included; the error says what is against each.
func findFileSystem(ctx context.Context, dir string) (fileSystem, error) {
	var faults []error
	for _, fs := range fileSystems {
		err := fs.grows()
		if err == nil {
			err = loopWorks(ctx, dir, fs)
		}
		if err == nil {
			return fs, nil
		}
		faults = append(faults, fmt.Errorf("%s: %w", fs.name, err))
	}
	return fileSystem{}, errors.Join(faults...)
}

// create makes an image that holds so many bytes of data, and takes room only as it is written to.
func (fs fileSystem) create(ctx context.Context, image string, size int64) error {
	f, err := os.OpenFile(image, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // what counts is synced below
	if err := f.Truncate(size + fs.overhead); err != nil {
		return err
	}
	mkfs := exec.CommandContext(ctx, administrators(fs.make[0]), append(fs.make[1:], image)...)
	if out, err := mkfs.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", fs.make[0], err, strings.TrimSpace(string(out)))
	}
	return f.Sync()
}

// mount mounts an image through a loop device that goes by itself when it is no longer mounted, or when we die before it is.
func (fs fileSystem) mount(image, target string) error {
	device, err := attachLoop(image)
	if err != nil {
		return fmt.Errorf("attach a loop device: %w", err)
	}
	err = unix.Mount(device.Name(), target, fs.name, unix.MS_NOATIME|unix.MS_NODEV|unix.MS_NOSUID|unix.MS_NOEXEC, fs.options)
	if err != nil {
		err = fmt.Errorf("mount: %w", err)
	}
	return errors.Join(err, device.Close())
}

// administrators finds a program also where unprivileged users' PATH does not lead.
func administrators(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return "/usr/sbin/" + name
}

func present(program string) error {
	_, err := os.Stat(administrators(program))
	return err
}

func mayExceedResources() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData // the call writes two
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Errorf("look at our capabilities: %w", err)
	}
	if sets[0].Effective&(1<<unix.CAP_SYS_RESOURCE) == 0 {
		return errors.New("it grows in use only with CAP_SYS_RESOURCE")
	}
	return nil
}
