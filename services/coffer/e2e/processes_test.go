package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// processesOf are the living processes whose command line names the folder.
func processesOf(t testing.TB, folder string) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	var pids []int
	for _, entry := range entries {
		var pid int
		if _, err := fmt.Sscanf(entry.Name(), "%d", &pid); err != nil || pid == os.Getpid() {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		if err != nil || !strings.Contains(string(line), folder) {
			continue
		}
		pids = append(pids, pid)
	}
	return pids
}

// stopAllOf stops every process whose command line names the folder, those too that one of them starts meanwhile.
func stopAllOf(t testing.TB, folder string) (stopped []int) {
	t.Helper()
	for {
		fresh := slices.DeleteFunc(processesOf(t, folder), func(pid int) bool { return slices.Contains(stopped, pid) })
		if len(fresh) == 0 {
			return stopped
		}
		for _, pid := range fresh {
			signalled(t, pid, syscall.SIGSTOP)
		}
		stopped = append(stopped, fresh...)
	}
}

// killAllOf ends every process whose command line names the folder (that is a local server's promise) at one instant, so
// that none of them starts another one again.
func killAllOf(t testing.TB, folder string) {
	t.Helper()
	for _, pid := range stopAllOf(t, folder) {
		signalled(t, pid, syscall.SIGKILL)
	}
	within(t, "the processes of "+folder+" to be gone", func() bool { return len(processesOf(t, folder)) == 0 })
}

// killed ends a process by force, and waits until it is gone.
func killed(t testing.TB, pid int) {
	t.Helper()
	signalled(t, pid, syscall.SIGKILL)
	within(t, fmt.Sprintf("process %d to be gone", pid), func() bool { return !lives(pid) })
}

// signalled sends a signal to a process that may have ended.
func signalled(t testing.TB, pid int, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, signal); err != nil {
		require.ErrorIs(t, err, syscall.ESRCH)
	}
}

// lives is false for one that waits for its parent to notice its end.
func lives(pid int) bool {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	return err == nil && len(line) > 0
}

// parentOf is 0 for a process that is gone.
func parentOf(pid int) int {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	// The second field is a name in brackets, which may hold anything.
	rest := text[bytes.LastIndexByte(text, ')')+1:]
	var state string
	var parent int
	if _, err := fmt.Sscan(string(rest), &state, &parent); err != nil {
		return 0
	}
	return parent
}
