//go:build crashpoints

package crashpoint

import (
	"os"
	"syscall"
)

const (
	// nameVariable holds the name of the point at which the process dies.
	nameVariable = "COFFER_CRASHPOINT"
	// traceVariable names a file to which the name of each point that is passed is appended, a line each: a crash
	// test learns from a calm run which points there are.
	traceVariable = "COFFER_CRASHPOINT_TRACE"
)

// Here kills the process if COFFER_CRASHPOINT is this name.
func Here(name string) {
	if path := os.Getenv(traceVariable); path != "" {
		trace(path, name)
	}
	if os.Getenv(nameVariable) != name {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// trace panics when it cannot write: a crash test that misses points would pass for nothing.
func trace(path, name string) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the test's own file
	if err != nil {
		panic(err)
	}
	if _, err := file.WriteString(name + "\n"); err != nil {
		panic(err)
	}
	if err := file.Close(); err != nil {
		panic(err)
	}
}
