package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLosingTheWholeQueueCostsTimeAlone(t *testing.T) {
	t.Parallel()
	dataDir := newDataDir(t)
	s := startServe(t, dataDir)
	user := s.signIn("coffer")
	first, second := user.createReady("first"), user.createReady("second")
	hosts := []machine{s.machine(first), s.machine(second)}
	starts := []int{hosts[0].databaseStarts(), hosts[1].databaseStarts()}
	s.kill()

	// One task is running when the control plane dies; another is queued behind the death.
	doomed := startServe(t, dataDir, withEnv("COFFER_CRASHPOINT=restart_instance/restart_database/done/before"))
	user = doomed.signIn("coffer")
	tasks := []string{user.restart(first.ID)}
	if got, err := user.try(http.MethodPost, "/instances/"+second.ID+"/action", map[string]any{"restart": map[string]any{}}); err == nil {
		require.Equal(t, http.StatusAccepted, got.code, string(got.body))
		tasks = append(tasks, taskOf(t, got))
	}
	doomed.awaitExit()
	require.NoError(t, os.RemoveAll(queueFolder(t, dataDir)))

	next := startServe(t, dataDir)
	user = next.signIn("coffer")
	for i, id := range tasks {
		user.awaitSuccess(id)
		assert.Equal(t, starts[i]+1, hosts[i].databaseStarts())
	}
	user.awaitSuccess(user.restart(first.ID))
}

func queueFolder(t testing.TB, dataDir string) string {
	t.Helper()
	folder := filepath.Join(dataDir, "nats")
	require.DirExists(t, folder)
	return folder
}
