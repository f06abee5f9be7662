//go:build crashpoints

package crashpoint_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/crashpoint"
)

func TestTheProcessDiesAtTheNamedPointAndNowhereElse(t *testing.T) {
	if os.Getenv("CRASHPOINT_TEST_CHILD") != "" {
		crashpoint.Here("elsewhere")
		_, _ = os.Stdout.WriteString("passed")
		crashpoint.Here("restart_instance/check_guest/plan/before")
		os.Exit(0)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	child.Env = append(os.Environ(), "CRASHPOINT_TEST_CHILD=1", "COFFER_CRASHPOINT=restart_instance/check_guest/plan/before")

	output, err := child.Output()

	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	status, ok := exit.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	assert.Equal(t, syscall.SIGKILL, status.Signal())
	assert.Equal(t, "passed", string(output))
}
