package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// crashPoints runs the three workflows once and answers with the points that each of them passes, in order.
func crashPoints(t testing.TB) map[string][]string {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	s := startServe(t, newDataDir(t), withEnv("COFFER_CRASHPOINT_TRACE="+trace))
	user := s.signIn("coffer")
	made := user.createReady("traced")
	user.awaitSuccess(user.restart(made.ID))
	user.awaitSuccess(user.delete(made.ID))
	s.interrupt()

	return pointsIn(t, trace, "create_instance", "restart_instance", "delete_instance")
}

// pointsIn are the points of a trace, in order, by action: some of each of these.
func pointsIn(t testing.TB, trace string, actions ...string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(trace)
	require.NoError(t, err)
	points := map[string][]string{}
	for _, point := range strings.Fields(string(text)) {
		action, _, _ := strings.Cut(point, "/")
		if !slices.Contains(points[action], point) {
			points[action] = append(points[action], point)
		}
	}
	for _, action := range actions {
		require.NotEmpty(t, points[action], "%s passes no crash point", action)
	}
	return points
}

func TestKillingServeAtAnyJournalWriteLosesNothingAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	points := crashPoints(t)
	for action, crash := range map[string]func(*testing.T, string){
		"create_instance":  crashCreate,
		"restart_instance": crashRestart,
		"delete_instance":  crashDelete,
	} {
		for _, point := range points[action] {
			t.Run(point, func(t *testing.T) {
				t.Parallel()
				crash(t, point)
			})
		}
	}
}

// starter starts the same service again and again.
type starter func(options ...serveOption) *serve

// crashed starts serve so that it dies at the point while `do` is under way, and starts it again.
func (start starter) crashed(point string, do func(user *client) string) (*serve, *client, string) {
	doomed := start(withEnv("COFFER_CRASHPOINT=" + point))
	taskID := do(doomed.signIn("coffer"))
	doomed.killedAtCrashPoint()

	next := start()
	return next, next.signIn("coffer"), taskID
}

func starterOn(t testing.TB, dataDir string) starter {
	return func(options ...serveOption) *serve { return startServe(t, dataDir, options...) }
}

func crashCreate(t *testing.T, point string) {
	var made instance
	s, user, taskID := starterOn(t, newDataDir(t)).crashed(point, func(user *client) string {
		var id string
		made, id = user.create(newInstance("crashed"))
		return id
	})
	user.awaitSuccess(taskID)
	ready := user.show(made.ID)
	assert.Equal(t, "ACTIVE", ready.Status)
	assert.Equal(t, "HEALTHY", ready.OperatingStatus)
	host := s.machine(ready)
	host.remember("kept")
	assert.Equal(t, []string{"kept"}, host.remembered())
	assert.Equal(t, 1, host.databaseStarts(), "the database was started once")
	assert.Equal(t, []string{made.ID}, s.inventory().Servers)
}

func crashRestart(t *testing.T, point string) {
	dataDir := newDataDir(t)
	s := startServe(t, dataDir)
	made := s.signIn("coffer").createReady("crashed")
	host := s.machine(made)
	host.remember("kept")
	starts := host.databaseStarts()
	s.kill()

	_, user, taskID := starterOn(t, dataDir).crashed(point, func(user *client) string { return user.restart(made.ID) })
	user.awaitSuccess(taskID)
	assert.Equal(t, "HEALTHY", user.show(made.ID).OperatingStatus)
	assert.Equal(t, starts+1, host.databaseStarts(), "the database was started exactly once more")
	assert.Equal(t, []string{"kept"}, host.remembered())
}

func crashDelete(t *testing.T, point string) {
	dataDir := newDataDir(t)
	s := startServe(t, dataDir)
	made := s.signIn("coffer").createReady("crashed")
	s.kill()

	next, user, taskID := starterOn(t, dataDir).crashed(point, func(user *client) string { return user.delete(made.ID) })
	user.awaitSuccess(taskID)
	assert.Equal(t, inventory{}, next.inventory())
	assert.Empty(t, mountsOf(t, dataDir))
}
