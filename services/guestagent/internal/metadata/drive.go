package metadata

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// label is the config drive's, in any case: vfat has it in capitals.
const label = "config-2"

// FromDrive reads the config drive, among all disks, CD-ROMs and partitions of a machine whose /sys and /dev are given.
// ErrNone: there is no such drive. Needs root.
func FromDrive(sys, dev string) (Data, error) {
	devices, err := devices(sys)
	if err != nil {
		return Data{}, err
	}
	for _, name := range devices {
		device := filepath.Join(dev, name)
		kind, found := fileSystem(device)
		if kind == "" || !strings.EqualFold(found, label) {
			continue
		}
		data, err := readDrive(device, kind)
		if err != nil {
			return data, fmt.Errorf("read config drive %s: %w", device, err)
		}
		return data, nil
	}
	return Data{}, fmt.Errorf("%w: no disk has the label %s", ErrNone, label)
}

// devices are the names of all block devices that may hold a file system.
func devices(sys string) ([]string, error) {
	disks, err := os.ReadDir(filepath.Join(sys, "block"))
	if err != nil {
		return nil, fmt.Errorf("list disks: %w", err)
	}
	var names []string
	for _, disk := range disks {
		names = append(names, disk.Name())
		partitions, err := filepath.Glob(filepath.Join(sys, "block", disk.Name(), "*", "partition"))
		if err != nil {
			return nil, fmt.Errorf("list partitions: %w", err)
		}
		for _, partition := range partitions {
			names = append(names, filepath.Base(filepath.Dir(partition)))
		}
	}
	return names, nil
}

// fileSystem is the kind and the label of a device's file system, if it is of one of the two kinds of config drives.
// A device that cannot be read, such as an empty CD-ROM drive, has none.
func fileSystem(device string) (kind, label string) {
	// Not to wait for a medium.
	file, err := os.OpenFile(device, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", ""
	}
	defer file.Close()
	for _, known := range []struct {
		kind string
		// mark, at a place, tells the kind; the label is at another.
		mark          string
		at, labelAt   int64
		labelCapacity int
	}{
		{"iso9660", "CD001", 32769, 32808, 32}, // ECMA-119, 8.4
		{"vfat", "FAT1", 54, 43, 11},           // FAT12, FAT16
		{"vfat", "FAT32", 82, 71, 11},
	} {
		if text(file, known.at, len(known.mark)) == known.mark {
			return known.kind, text(file, known.labelAt, known.labelCapacity)
		}
	}
	return "", ""
}

func text(file *os.File, at int64, length int) string {
	data := make([]byte, length)
	if _, err := file.ReadAt(data, at); err != nil {
		return ""
	}
	return strings.TrimRight(string(data), " \x00")
}

func readDrive(device, kind string) (data Data, err error) {
	if kind == "iso9660" {
		return readDisc(device)
	}
	folder, err := os.MkdirTemp("", "config-drive-")
	if err != nil {
		return data, err
	}
	defer func() { err = errors.Join(err, os.Remove(folder)) }()
	const harmless = unix.MS_RDONLY | unix.MS_NODEV | unix.MS_NOSUID | unix.MS_NOEXEC
	if err := unix.Mount(device, folder, kind, harmless, ""); err != nil {
		return data, os.NewSyscallError("mount", err)
	}
	defer func() { err = errors.Join(err, os.NewSyscallError("unmount", unix.Unmount(folder, 0))) }()
	return gather(func(path string) ([]byte, error) { return readFile(filepath.Join(folder, path)) })
}

// gather reads the two files; that of the network may be missing.
func gather(read func(path string) ([]byte, error)) (data Data, err error) {
	if data.User, err = read(userFile); err != nil {
		return data, err
	}
	data.Network, err = read(networkFile)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return data, err
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAll(file)
}

func readAll(from io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err == nil && len(data) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return data, err
}
