package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// engine is a MariaDB of the test's own to break: links to the programs of this machine under another root.
type engine struct {
	t    testing.TB
	root string
}

func newEngine(t testing.TB) engine {
	t.Helper()
	e := engine{t: t, root: openDir(t, "coffer-engine-")}
	for _, folder := range []string{"usr/sbin", "usr/bin"} {
		require.NoError(t, os.MkdirAll(filepath.Join(e.root, folder), 0o755))
	}
	for _, path := range []string{
		"usr/sbin/mariadbd", "usr/bin/mariadb-install-db", "usr/bin/my_print_defaults", "usr/bin/resolveip", "usr/share", "usr/lib",
	} {
		require.NoError(t, os.Symlink("/"+path, filepath.Join(e.root, path)))
	}
	return e
}

// used is how `coffer serve` is told to use it.
func (e engine) used() serveOption {
	return withEnv("COFFER_TASKMANAGER_LOCAL_ENGINE_PREFIX=" + e.root)
}

func (e engine) program() string { return filepath.Join(e.root, "usr/sbin/mariadbd") }

// vanish takes the database's program away.
func (e engine) vanish() { require.NoError(e.t, os.Remove(e.program())) }

// fail puts a program in its place that knows its version and does not start.
func (e engine) fail() {
	e.vanish()
	version, err := exec.CommandContext(e.t.Context(), "/usr/sbin/mariadbd", "--no-defaults", "--version").Output()
	require.NoError(e.t, err)
	script(e.t, e.program(), fmt.Sprintf(`case "$*" in *--version*) echo '%s'; exit;; esac
echo "[ERROR] The moon is in the way"; exit 7`, version))
}

// mend puts the real one back.
func (e engine) mend() {
	e.vanish()
	require.NoError(e.t, os.Symlink("/usr/sbin/mariadbd", e.program()))
}

// agentProgram is a guest agent whose `serve` is the given script; everything else the real one does.
func agentProgram(t testing.TB, serve string) (path string, used serveOption) {
	t.Helper()
	path = filepath.Join(openDir(t, "coffer-agent-"), "coffer-guestagent")
	actual := filepath.Join(programs, "coffer-guestagent")
	script(t, path, fmt.Sprintf("agent=%q\n[ \"$1\" = serve ] || exec \"$agent\" \"$@\"\n%s", actual, serve))
	return path, withEnv("COFFER_TASKMANAGER_LOCAL_GUESTAGENT=" + path)
}

func script(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755))
}

// openDir is a temporary folder that other users can enter, which t.TempDir is not.
func openDir(t testing.TB, prefix string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", prefix) //nolint:usetesting // others must be able to enter
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}
