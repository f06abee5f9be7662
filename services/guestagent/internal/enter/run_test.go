package enter_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/enter"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/enter/entertest"
)

func TestMain(m *testing.M) { entertest.Main(m) }

const (
	stranger = 65000
	// waited bounds the wait for another process's doing, pause is how often it is looked at.
	waited = 30 * time.Second
	pause  = time.Millisecond
)

// openDir is a temporary folder that the program's user can pass.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "enter-") //nolint:usetesting // closed to others
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

// say is what a shell in the root says, line by line.
func say(t *testing.T, root enter.Root, script string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", root.Arguments("/bin/sh", "-c", script)...)
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	said, err := cmd.Output()
	require.NoError(t, err, complaints.String())
	return strings.Split(strings.TrimSpace(string(said)), "\n")
}

func TestAProgramSeesItsRootAndItsFoldersAndNoMore(t *testing.T) {
	folder, bound, other := entertest.Folder(t), openDir(t), openDir(t)
	require.NoError(t, os.WriteFile(filepath.Join(bound, "mine"), nil, 0o644))
	require.NoError(t, os.Chmod(bound, 0o777))
	root := enter.Root{Folder: folder, Binds: []string{bound}, Dir: bound, UID: stranger, GID: stranger}

	assert.Equal(t, []string{"mine"}, say(t, root, "pwd >"+bound+"/made; rm made; ls"))
	assert.Equal(t, []string{bound}, say(t, root, "pwd"))
	assert.Equal(t, []string{"gone"}, say(t, root, "ls "+other+" 2>/dev/null || echo gone"))
	assert.Equal(t, []string{"65000 65000 65000"}, say(t, root, "echo $(id -u) $(id -g) $(id -G)"))
	assert.Equal(t, []string{"fd", "full", "null", "random", "shm", "tty", "urandom", "zero"}, say(t, root, "ls /dev"))
	assert.Equal(t, []string{"held"}, say(t, root, "ls -d /proc/1 >/dev/null 2>&1 || echo held"), "other users' processes are seen")
	asRoot := root
	asRoot.UID, asRoot.GID = 0, 0
	assert.Equal(t, []string{"held"}, say(t, asRoot, "touch /usr/x 2>/dev/null || echo held"), "the root folder can be written to")
}

func TestTheProcessIsTheProgramsFromTheFirstAndItsMountsAreNobodyElses(t *testing.T) {
	folder, bound, volume := entertest.Folder(t), openDir(t), openDir(t)
	require.NoError(t, unix.Mount("tmpfs", volume, "tmpfs", 0, "size=64k"))
	mounted := true
	t.Cleanup(func() {
		if mounted {
			assert.NoError(t, unix.Unmount(volume, 0))
		}
	})
	root := enter.Root{Folder: folder, Binds: []string{bound}, Dir: bound, UID: stranger, GID: stranger}
	p, err := proc.Start(proc.Command{Path: "/proc/self/exe", Args: root.Arguments("/usr/bin/sleep", "100")})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, proc.Kill(context.Background(), p)) })

	read := func(name string) string {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.PID(), name))
		require.NoError(t, err)
		return string(text)
	}
	require.Eventually(t, func() bool { return read("cmdline") == "/usr/bin/sleep\x00100\x00" }, waited, pause)
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", p.PID()))
	require.NoError(t, err)
	assert.Equal(t, bound, cwd, "it is found by where it works")
	assert.NotContains(t, mounts(t, "self"), bound)
	assert.NotContains(t, mounts(t, "self"), folder)
	inside := mounts(t, strconv.Itoa(p.PID()))
	assert.Contains(t, inside, " "+bound+" ")
	assert.NotContains(t, inside, volume, "another's volume is held")
	require.NoError(t, unix.Unmount(volume, 0))
	mounted = false
}

func mounts(t *testing.T, pid string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + pid + "/mountinfo")
	require.NoError(t, err)
	return string(text)
}

func TestNothingIsWrittenToTheRootFolder(t *testing.T) {
	folder, bound := entertest.Folder(t), openDir(t)
	say(t, enter.Root{Folder: folder, Binds: []string{bound}, Dir: "/"}, "true")
	assert.NoDirExists(t, filepath.Join(folder, bound))
	assert.NoFileExists(t, filepath.Join(folder, "proc/self"))
}

func TestALinkInTheRootFolderLeadsNotOutOfIt(t *testing.T) {
	actual, outside, bound := entertest.Folder(t), openDir(t), openDir(t)
	folder := openDir(t)
	for _, name := range []string{"bin", "lib", "lib64"} {
		require.NoError(t, os.Symlink("usr/"+name, filepath.Join(folder, name)))
	}
	require.NoError(t, os.Mkdir(filepath.Join(folder, "usr"), 0o755))
	require.NoError(t, unix.Mount(filepath.Join(actual, "usr"), filepath.Join(folder, "usr"), "", unix.MS_BIND, ""))
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(filepath.Join(folder, "usr"), 0)) })
	// The bound folder's parent is a link there, to a folder that only the machine has.
	require.NoError(t, os.Symlink(outside, filepath.Join(folder, "tmp")))
	err := exec.CommandContext(t.Context(), "/proc/self/exe",
		enter.Root{Folder: folder, Binds: []string{bound}, Dir: "/"}.Arguments("/bin/true")...).Run()
	require.Error(t, err)
	left, err := os.ReadDir(outside)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestWhatCannotBeEnteredIsNamed(t *testing.T) {
	for args, part := range map[string]string{
		"--root /nonexistent -- /bin/true": "/nonexistent",
		"--root usr -- /bin/true":          "not an absolute path",
		"--root / -- /bin/true":            "folder of its own",
		"--root /usr":                      "no program",
		"--root /usr --uid x -- /bin/true": "uid",
	} {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", append([]string{enter.Verb}, strings.Fields(args)...)...)
		said, err := cmd.CombinedOutput()
		require.Error(t, err, args)
		if os.Geteuid() == 0 || part != "/nonexistent" {
			assert.Contains(t, string(said), part, args)
		}
		assert.Contains(t, string(said), "[ERROR]", args)
	}
}
