package local

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/proc"
)

func TestAHostWithoutTheMemoryControllerSaysSo(t *testing.T) {
	_, err := openCgroups(t.TempDir(), "x")
	require.ErrorContains(t, err, "not mounted")
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "cgroup.controllers"), []byte("cpu io\n"), 0o600))
	_, err = openCgroups(root, "x")
	assert.ErrorContains(t, err, "no memory controller")
}

func TestTheFlavorsMemoryIsWrittenAsTheGroupsLimit(t *testing.T) {
	c := &cgroups{t.TempDir()}
	require.NoError(t, os.Mkdir(c.group("a"), 0o700))
	limit := filepath.Join(c.group("a"), "memory.max")
	require.NoError(t, os.WriteFile(limit, []byte("max\n"), 0o600)) // the kernel's file
	require.NoError(t, c.make("a", 512<<20))
	written, err := os.ReadFile(limit)
	require.NoError(t, err)
	assert.Equal(t, "536870912", string(written))
}

func TestNoGroupsHoldNothing(t *testing.T) {
	var c *cgroups
	require.NoError(t, c.make("a", 1))
	require.NoError(t, c.add("a", os.Getpid()))
	require.NoError(t, c.kill("a"))
	require.NoError(t, c.remove(t.Context(), "a"))
}

func TestAGroupIsKilledWithAllThatIsInIt(t *testing.T) {
	root := ""
	for _, mount := range []string{cgroupRoot, filepath.Join(cgroupRoot, "unified")} {
		if _, err := os.Stat(filepath.Join(mount, "cgroup.controllers")); err == nil {
			root = mount
		}
	}
	c := &cgroups{filepath.Join(root, "coffer-test-"+uuid.NewString())}
	if root == "" || os.Mkdir(c.dir, 0o755) != nil {
		t.Skip("this host has no control groups of version 2 that we may write to")
	}
	t.Cleanup(func() { require.NoError(t, syscall.Rmdir(c.dir)) })
	require.NoError(t, c.kill("a"))
	require.NoError(t, c.remove(t.Context(), "a"))

	require.NoError(t, os.Mkdir(c.group("a"), 0o755))
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	process, err := proc.Start(proc.Command{Path: sleep, Args: []string{"1000"}, Dir: "/"})
	require.NoError(t, err)
	require.NoError(t, c.add("a", process.PID()))
	require.NoError(t, c.kill("a"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	exit, err := process.Wait(ctx)
	require.NoError(t, err)
	assert.Equal(t, syscall.SIGKILL, exit.Signal)
	require.NoError(t, c.remove(ctx, "a"))
	assert.NoDirExists(t, c.group("a"))
}
