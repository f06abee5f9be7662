package volume_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/volume"
)

const volumeID = "0d9a6c1f-9e2b-4d1c-8f57-2f8d4a3f6b1e"

// sysfs is a /sys/block with the given files, and for each disk named in it what every disk has.
func sysfs(t *testing.T, files map[string]string) volume.Disks {
	t.Helper()
	sys := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(sys, "block"), 0o700))
	for path, text := range files {
		path = filepath.Join(sys, "block", path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return volume.Disks{Sys: sys, Dev: "/dev"}
}

func TestAVolumeIsFoundByItsSerialNumber(t *testing.T) {
	root := map[string]string{"vda/ro": "0\n", "vda/vda1/partition": "1\n", "sr0/ro": "0\n", "loop0/ro": "0\n", "vdz/ro": "0\n"}
	for name, c := range map[string]struct{ path, text, device string }{
		"virtio":         {"vdb/serial", volumeID[:20], "/dev/vdb"},
		"virtio, whole":  {"vdb/serial", volumeID + "\n", "/dev/vdb"},
		"NVMe":           {"nvme1n1/device/serial", volumeID[:20] + "\n", "/dev/nvme1n1"},
		"SCSI":           {"sdb/device/vpd_pg80", "\x00\x80\x00\x24" + volumeID, "/dev/sdb"},
		"SCSI, 20 bytes": {"sdb/device/vpd_pg80", "\x00\x80\x00\x14" + volumeID[:20], "/dev/sdb"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{c.path: c.text}
			for path, text := range root {
				files[path] = text
			}
			device, err := sysfs(t, files).Await(t.Context(), volumeID)
			require.NoError(t, err)
			assert.Equal(t, c.device, device)
		})
	}
}

func TestWithoutSerialNumbersAVolumeIsTheOnlyFreeDisk(t *testing.T) {
	files := map[string]string{
		"vda/ro": "0\n", "vda/vda1/partition": "1\n", "vdb/ro": "0\n", "vdb/serial": "\n",
		"vdc/ro": "1\n", "vdd/ro": "0\n", "vdd/serial": "another",
	}
	device, err := sysfs(t, files).Await(t.Context(), volumeID)
	require.NoError(t, err)
	assert.Equal(t, "/dev/vdb", device)

	files["vde/ro"] = "0\n"
	_, err = sysfs(t, files).Await(t.Context(), volumeID)
	assert.ErrorContains(t, err, "several have none: vdb, vde")
}

func TestADiskWithAnotherSerialNumberIsNeverTaken(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := sysfs(t, map[string]string{
		"vda/vda1/partition": "1\n", "vdb/ro": "0\n", "vdb/serial": "another",
		"vdc/ro": "0\n", "vdc/serial": volumeID[:8],
	}).Await(ctx, volumeID)
	assert.ErrorContains(t, err, "no disk with the volume's serial number; there are: vda, vdb, vdc")
}

func TestAVolumeThatComesLaterIsAwaited(t *testing.T) {
	disks := sysfs(t, nil)
	found := make(chan string, 1)
	go func() {
		device, err := disks.Await(t.Context(), volumeID)
		assert.NoError(t, err)
		found <- device
	}()
	folder := filepath.Join(disks.Sys, "block", "vdb")
	require.NoError(t, os.Mkdir(folder+".new", 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder+".new", "serial"), []byte(volumeID[:20]), 0o600))
	require.NoError(t, os.Rename(folder+".new", folder))
	assert.Equal(t, "/dev/vdb", <-found)
}

func TestTwoDisksOfOneVolumeAreRefused(t *testing.T) {
	_, err := sysfs(t, map[string]string{"vdb/serial": volumeID, "vdc/serial": volumeID[:20]}).Await(t.Context(), volumeID)
	assert.ErrorContains(t, err, "several disks")
}
