package proc_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/proc"
)

func TestFindWhereFindsWhatMatchesWhileItLives(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	started, err := proc.Start(proc.Command{Path: sleep, Args: []string{"1000"}, Dir: "/"})
	require.NoError(t, err)
	isIt := func(pid int) bool { return pid == started.PID() }

	found, err := proc.FindWhere(isIt)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, started.Record(), found[0].Record())
	require.NoError(t, proc.Kill(t.Context(), found[0]))
	<-started.Done()
	found, err = proc.FindWhere(isIt)
	require.NoError(t, err)
	assert.Empty(t, found)
}
