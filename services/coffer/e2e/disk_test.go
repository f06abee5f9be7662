package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// onSmallDisk puts the volumes of a new data folder on a file system of their own of so many bytes, which takes none of
// this machine's disk until it is written to. Only root can make one.
func onSmallDisk(t testing.TB, dataDir string, size int64) (disk string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	image := filepath.Join(dataDir, "disk.image")
	disk = filepath.Join(dataDir, "disk")
	require.NoError(t, os.WriteFile(image, nil, 0o600))
	require.NoError(t, os.Truncate(image, size))
	require.NoError(t, os.Mkdir(disk, 0o711))
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-m", "0", image}, {"mount", "-o", "loop", image, disk}} {
		out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	require.NoError(t, os.Chmod(disk, 0o711))
	require.NoError(t, os.Mkdir(filepath.Join(disk, "volumes"), 0o711))
	require.NoError(t, os.Symlink(filepath.Join(disk, "volumes"), filepath.Join(dataDir, "volumes")))
	return disk
}

// fillDisk leaves so many bytes of the folder's file system free.
func fillDisk(t testing.TB, folder string, left int64) {
	t.Helper()
	var disk unix.Statfs_t
	require.NoError(t, unix.Statfs(folder, &disk))
	filler, err := os.Create(filepath.Join(folder, "filler"))
	require.NoError(t, err)
	free := int64(disk.Bavail) * disk.Bsize
	require.NoError(t, unix.Fallocate(int(filler.Fd()), 0, 0, free-left))
	require.NoError(t, filler.Close())
}
