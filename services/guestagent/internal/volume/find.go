package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/pause"
)

const (
	// shortSerial is how much of a volume's id the smallest of serial numbers holds, virtio's and NVMe's.
	shortSerial = 20
	// findPause is the pause between two looks at the machine's disks.
	findPause = 200 * time.Millisecond
)

// Disks are the block devices of a machine.
type Disks struct {
	// Sys and Dev are /sys and /dev.
	Sys, Dev string
}

// Machine are this machine's.
var Machine = Disks{Sys: "/sys", Dev: "/dev"}

var errNoDisk = errors.New("there is no disk with the volume's serial number")

// Await finds the disk of a volume by its serial number, which a hypervisor makes of the volume's id, and waits for it
// until the context ends. Where a hypervisor gives none, it is the only disk without a serial number that has neither
// partitions nor anything mounted.
func (d Disks) Await(ctx context.Context, volumeID string) (device string, err error) {
	for {
		device, err = d.find(volumeID)
		if !errors.Is(err, errNoDisk) {
			return device, err
		}
		if !pause.For(ctx, findPause) {
			return "", fmt.Errorf("find volume %s: %w; there are: %s", volumeID, err, strings.Join(d.names(), ", "))
		}
	}
}

func (d Disks) find(volumeID string) (string, error) {
	var mine, nameless []string
	for _, name := range d.names() {
		serial, err := d.serial(name)
		if err != nil {
			return "", err
		}
		switch {
		case len(serial) >= shortSerial && strings.HasPrefix(volumeID, serial):
			mine = append(mine, name)
		case serial == "" && d.isFree(name):
			nameless = append(nameless, name)
		}
	}
	switch {
	case len(mine) == 1:
		return filepath.Join(d.Dev, mine[0]), nil
	case len(mine) > 1:
		return "", fmt.Errorf("several disks have the serial number of volume %s: %s", volumeID, strings.Join(mine, ", "))
	case len(nameless) == 1:
		return filepath.Join(d.Dev, nameless[0]), nil
	case len(nameless) > 1:
		return "", fmt.Errorf("no disk has the serial number of volume %s, and several have none: %s",
			volumeID, strings.Join(nameless, ", "))
	}
	return "", errNoDisk
}

// names are those of all disks, and of none of the devices that are made of other devices or of memory, or whose media
// come and go.
func (d Disks) names() []string {
	entries, err := os.ReadDir(filepath.Join(d.Sys, "block"))
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		if !slices.ContainsFunc([]string{"loop", "ram", "zram", "dm-", "md", "sr", "fd"}, func(kind string) bool {
			return strings.HasPrefix(entry.Name(), kind)
		}) {
			names = append(names, entry.Name())
		}
	}
	return names
}

// serial is empty for a disk without one.
func (d Disks) serial(name string) (string, error) {
	for _, source := range []struct {
		path string
		read func([]byte) string
	}{
		{"serial", plainSerial},                // virtio
		{"device/serial", plainSerial},         // NVMe
		{"device/vpd_pg80", serialOfVitalData}, // SCSI
	} {
		text, err := os.ReadFile(filepath.Join(d.Sys, "block", name, source.path))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("read the serial number of %s: %w", name, err)
		}
		if serial := source.read(text); serial != "" {
			return serial, nil
		}
	}
	return "", nil
}

func plainSerial(text []byte) string { return strings.Trim(string(text), " \n\x00") }

// serialOfVitalData reads the page 0x80 of a SCSI disk's vital product data, which has four bytes before the number.
func serialOfVitalData(page []byte) string {
	const header = 4
	if len(page) < header {
		return ""
	}
	return plainSerial(page[header:])
}

// isFree says that nothing of the machine's own is on a disk, as far as the kernel knows.
func (d Disks) isFree(name string) bool {
	partitions, err := filepath.Glob(filepath.Join(d.Sys, "block", name, "*", "partition"))
	if err != nil || len(partitions) > 0 {
		return false
	}
	if readOnly, err := os.ReadFile(filepath.Join(d.Sys, "block", name, "ro")); err != nil || plainSerial(readOnly) != "0" {
		return false
	}
	mounted, err := isMounted(filepath.Join(d.Dev, name))
	return err == nil && !mounted
}
