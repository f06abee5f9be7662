package e2e_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestOnAFullDiskInstancesCanBeDeletedAndAllComesBackWithTheRoom(t *testing.T) {
	t.Parallel()
	folder := emptyDataDir(t)
	disk := mountSmallDisk(t, folder, 2500<<20)
	dataDir := filepath.Join(disk, "data")
	require.NoError(t, os.Mkdir(dataDir, 0o711))
	copyTemplates(t, dataDir)
	s := startServe(t, dataDir)
	user := s.signIn("coffer")
	first, second := user.createReady("first"), user.createReady("second")
	before := s.machine(second).pidOf("mariadbd")
	s.awaitHealth(http.StatusOK, "ok")

	fillDisk(t, disk, 0)
	user.awaitDone(user.delete(first.ID), "SUCCEEDED")
	emptyDisk(t, disk)
	s.awaitHealth(http.StatusOK, "ok")

	fillDisk(t, disk, 0)
	s.awaitHealth(http.StatusServiceUnavailable, "disk: ")
	late, created := user.create(newInstance("late"))
	refused := user.awaitDone(created, "FAILED")
	assert.Equal(t, "NO_SPACE", refused.Error.Code)
	assert.Contains(t, refused.Error.Message, "must stay free")

	s.kill()
	s = startServe(t, dataDir)
	s.awaitHealth(http.StatusServiceUnavailable, "disk: ")
	user = s.signIn("coffer")
	user.awaitDone(user.delete(late.ID), "SUCCEEDED")

	emptyDisk(t, disk)
	s.awaitHealth(http.StatusOK, "ok")
	assert.Equal(t, before, s.machine(second).pidOf("mariadbd"))
	user.awaitSuccess(user.restart(second.ID))
	user.createReady("third")
}

// awaitHealth waits for what /healthz says.
func (s *serve) awaitHealth(code int, text string) {
	s.t.Helper()
	within(s.t, "/healthz to say "+text, func() bool {
		request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.listen+"/healthz", nil)
		require.NoError(s.t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(s.t, err)
		said, err := io.ReadAll(response.Body)
		require.NoError(s.t, err)
		require.NoError(s.t, response.Body.Close())
		return response.StatusCode == code && strings.HasPrefix(string(said), text)
	})
}

// awaitDone is awaitEnd without the stream of events, which a full disk may hold up.
func (c *client) awaitDone(taskID, status string) task {
	c.t.Helper()
	var found task
	within(c.t, "the task's end", func() bool {
		found = c.task(taskID)
		return found.ended()
	})
	require.Equal(c.t, status, found.Status, "%+v", found)
	return found
}

// onSmallDisk puts the volumes of a new data folder on a file system of their own of so many bytes, which takes none of
// this machine's disk until it is written to. Only root can make one.
func onSmallDisk(t testing.TB, dataDir string, size int64) (disk string) {
	t.Helper()
	disk = mountSmallDisk(t, dataDir, size)
	require.NoError(t, os.Mkdir(filepath.Join(disk, "volumes"), 0o711))
	require.NoError(t, os.Symlink(filepath.Join(disk, "volumes"), filepath.Join(dataDir, "volumes")))
	return disk
}

// mountSmallDisk makes a file system of so many bytes in the folder and answers with where it is.
func mountSmallDisk(t testing.TB, folder string, size int64) (disk string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	image := filepath.Join(folder, "disk.image")
	disk = filepath.Join(folder, "disk")
	require.NoError(t, os.WriteFile(image, nil, 0o600))
	require.NoError(t, os.Truncate(image, size))
	require.NoError(t, os.Mkdir(disk, 0o711))
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-m", "0", image}, {"mount", "-o", "loop", image, disk}} {
		out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	require.NoError(t, os.Chmod(disk, 0o711))
	return disk
}

// fillDisk leaves so many bytes of the folder's file system free.
func fillDisk(t testing.TB, folder string, left int64) {
	t.Helper()
	filler, err := os.CreateTemp(folder, "filler-")
	require.NoError(t, err)
	for free := freeOn(t, folder); free > left; free = freeOn(t, folder) {
		at, err := filler.Seek(0, io.SeekEnd)
		require.NoError(t, err)
		if unix.Fallocate(int(filler.Fd()), 0, at, free-left) != nil {
			break // somebody else was quicker, or the rest is for the file system's own
		}
	}
	require.NoError(t, filler.Close())
}

func freeOn(t testing.TB, folder string) int64 {
	t.Helper()
	var disk unix.Statfs_t
	require.NoError(t, unix.Statfs(folder, &disk))
	return int64(disk.Bavail) * disk.Bsize
}

// emptyDisk takes back what fillDisk took.
func emptyDisk(t testing.TB, folder string) {
	t.Helper()
	fillers, err := filepath.Glob(filepath.Join(folder, "filler-*"))
	require.NoError(t, err)
	for _, filler := range fillers {
		require.NoError(t, os.Remove(filler))
	}
}
