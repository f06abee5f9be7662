package volume

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
)

// toolError is a tool's failure, with what it said.
type toolError struct {
	name  string
	said  []byte
	cause error
}

func (e *toolError) Error() string { return fmt.Sprintf("%s: %v: %s", e.name, e.cause, e.said) }
func (e *toolError) Unwrap() error { return e.cause }

// tool runs a program of the machine's to its end and gives what it said. Unsupported: the machine does not have it.
func tool(ctx context.Context, name string, args ...string) ([]byte, error) {
	path := find(name)
	if path == "" {
		return nil, errs.New(errs.Unsupported, "PROGRAM_MISSING", "The program %s is not on the server.", name)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return out, &toolError{name: name, said: bytes.TrimSpace(out), cause: err}
	}
	return out, nil
}

func find(program string) string {
	for _, folder := range []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin"} {
		if path := filepath.Join(folder, program); proc.IsProgram(path) {
			return path
		}
	}
	return ""
}
