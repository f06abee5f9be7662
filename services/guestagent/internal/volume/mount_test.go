package volume_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/volume"
)

const diskMiB = 64

// newMount is a blank disk that is not mounted.
func newMount(t *testing.T) volume.Mount {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root mounts")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "disk")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Truncate(file, diskMiB<<20))
	m := volume.Mount{
		Device: run(t, "/sbin/losetup", "--find", "--show", file), Folder: filepath.Join(dir, "volume"), VolumeID: volumeID,
		Owner: "an-instance", Note: filepath.Join(dir, "formatting"),
	}
	t.Cleanup(func() {
		err := unix.Unmount(m.Folder, unix.MNT_DETACH)
		assert.True(t, err == nil || err == unix.EINVAL || err == unix.ENOENT, "%v", err)
		run(t, "/sbin/losetup", "--detach", m.Device)
	})
	return m
}

func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...).CombinedOutput()
	require.NoError(t, err, "%s: %s", program, out)
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, device string, at int64, data []byte) {
	t.Helper()
	disk, err := os.OpenFile(device, os.O_WRONLY|os.O_SYNC, 0)
	require.NoError(t, err)
	_, err = disk.WriteAt(data, at)
	require.NoError(t, err)
	require.NoError(t, disk.Close())
}

func unmount(t *testing.T, m volume.Mount) {
	t.Helper()
	require.NoError(t, unix.Unmount(m.Folder, 0))
}

func TestABlankVolumeIsFormattedOnceAndKeepsWhatIsOnIt(t *testing.T) {
	m := newMount(t)
	require.NoError(t, m.Open(t.Context()))
	assert.NoFileExists(t, m.Note)
	row := filepath.Join(m.Folder, "row")
	require.NoError(t, os.WriteFile(row, []byte("42"), 0o600))
	require.NoError(t, m.Open(t.Context())) // as a new agent would
	unmount(t, m)
	require.NoError(t, m.Open(t.Context())) // as a machine that has booted again
	text, err := os.ReadFile(row)
	require.NoError(t, err)
	assert.Equal(t, "42", string(text))
	assert.Equal(t, "noatime", run(t, "/bin/findmnt", "-n", "-o", "OPTIONS", m.Folder)[len("rw,nosuid,nodev,noexec,"):][:len("noatime")])
	state, err := os.Stat(m.StateDir())
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o711), state.Mode().Perm())
}

func TestADiskThatIsNotBlankIsLeftAlone(t *testing.T) {
	for name, c := range map[string]struct {
		fill func(t *testing.T, device string)
		says string
	}{
		"another file system":      {func(t *testing.T, device string) { run(t, "/sbin/mkfs.ext2", "-q", device) }, "it has ext2"},
		"swap":                     {func(t *testing.T, device string) { run(t, "/sbin/mkswap", device) }, "it has swap"},
		"a partition table":        {func(t *testing.T, device string) { write(t, device, 510, []byte{0x55, 0xaa}) }, "not blank"},
		"unknown data":             {func(t *testing.T, device string) { write(t, device, edge-1, []byte{1}) }, "no known kind"},
		"unknown data at its end":  {func(t *testing.T, device string) { write(t, device, diskMiB<<20-edge, []byte{1}) }, "no known kind"},
		"files that are not ours":  {makeForeign, "not ours"},
		"files of another machine": {makeOthers, "of instance another-instance"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMount(t)
			c.fill(t, m.Device)
			before := contents(t, m.Device)
			require.ErrorContains(t, m.Open(t.Context()), c.says)
			if c.says != "not ours" && !strings.HasPrefix(c.says, "of instance") { // those were mounted
				assert.True(t, bytes.Equal(before, contents(t, m.Device)), "it was written to")
			}
			require.NoError(t, unix.Mkdir(m.Folder+"-2", 0o700))
			require.ErrorIs(t, unix.Unmount(m.Folder, 0), unix.EINVAL, "it stays mounted")
		})
	}
}

const edge = 1 << 20

func contents(t *testing.T, device string) []byte {
	t.Helper()
	text, err := os.ReadFile(device)
	require.NoError(t, err)
	return text
}

func makeForeign(t *testing.T, device string) {
	t.Helper()
	run(t, "/sbin/mkfs.ext4", "-q", device)
	folder := t.TempDir()
	run(t, "/bin/mount", device, folder)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "letter"), nil, 0o600))
	run(t, "/bin/umount", folder)
}

func makeOthers(t *testing.T, device string) {
	t.Helper()
	dir := t.TempDir()
	other := volume.Mount{
		Device: device, Folder: filepath.Join(dir, "volume"), VolumeID: volumeID, Owner: "another-instance", Note: filepath.Join(dir, "note"),
	}
	require.NoError(t, other.Open(t.Context()))
	unmount(t, other)
}

func TestAFormatThatWasCutIsBegunAgain(t *testing.T) {
	m := newMount(t)
	half := bytes.Repeat([]byte{7}, 512)
	write(t, m.Device, 64<<10, half)
	require.Error(t, m.Open(t.Context()))
	// Only what was noted before is ours.
	require.NoError(t, os.WriteFile(m.Note, []byte("another volume"), 0o600))
	require.Error(t, m.Open(t.Context()))
	require.NoError(t, os.WriteFile(m.Note, []byte(m.VolumeID), 0o600))
	require.NoError(t, m.Open(t.Context()))
	require.NoError(t, os.WriteFile(filepath.Join(m.Folder, "row"), nil, 0o600))
	unmount(t, m)

	// A note that was left behind gives no file system up.
	require.NoError(t, os.WriteFile(m.Note, []byte(m.VolumeID), 0o600))
	require.NoError(t, m.Open(t.Context()))
	assert.FileExists(t, filepath.Join(m.Folder, "row"))
}

func TestAMachineThatDiedLeavesAVolumeThatOpens(t *testing.T) {
	m := newMount(t)
	require.NoError(t, m.Open(t.Context()))
	require.NoError(t, os.WriteFile(filepath.Join(m.Folder, "row"), nil, 0o600))
	unix.Sync()
	// What the disk looks like while it is in use is what a dead machine leaves.
	crashed := contents(t, m.Device)
	unmount(t, m)
	write(t, m.Device, 0, crashed)
	require.NoError(t, m.Open(t.Context()))
	assert.FileExists(t, filepath.Join(m.Folder, "row"))
}

func TestAVolumeThatGrewWhileItsMachineWasDownIsFilled(t *testing.T) {
	m := newMount(t)
	require.NoError(t, m.Open(t.Context()))
	row := filepath.Join(m.Folder, "row")
	require.NoError(t, os.WriteFile(row, []byte("42"), 0o600))
	before, err := volume.Measure(t.Context(), m.Folder, 0)
	require.NoError(t, err)
	unmount(t, m)
	file := run(t, "/sbin/losetup", "--noheadings", "--output", "BACK-FILE", m.Device)
	require.NoError(t, os.Truncate(file, 2*diskMiB<<20))
	run(t, "/sbin/losetup", "--set-capacity", m.Device)

	require.NoError(t, m.Open(t.Context()))
	after, err := volume.Measure(t.Context(), m.Folder, 0)
	require.NoError(t, err)
	assert.Greater(t, after.Total, before.Total*3/2)
	text, err := os.ReadFile(row)
	require.NoError(t, err)
	assert.Equal(t, "42", string(text))
}
