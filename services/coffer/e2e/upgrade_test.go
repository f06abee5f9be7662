package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (c *client) upgrade(id, version string) string {
	c.t.Helper()
	got := c.call(http.MethodPatch, "/instances/"+id, map[string]any{"instance": map[string]any{"datastore_version": version}})
	require.Equal(c.t, http.StatusAccepted, got.code, string(got.body))
	assert.Empty(c.t, got.body)
	return taskOf(c.t, got)
}

// newOlder is a site with a database of the older of two versions; the newer one is in a root folder of the test's own.
func newOlder(t *testing.T, d datastore, root string) (s *site, older, newer string) {
	t.Helper()
	service := startServe(t, newDataDir(t), withEnv(
		"COFFER_TASKMANAGER_LOCAL_ENGINE_ROOTS="+root, "COFFER_TASKMANAGER_MONITOR_SIGN_OF_LIFE=1s"))
	return newOlderOn(t, d, service)
}

func newOlderOn(t *testing.T, d datastore, service *serve) (s *site, older, newer string) {
	t.Helper()
	s = &site{serve: service, t: t, user: service.signIn("coffer"), admin: service.signIn("coffer-admin"), datastore: d}
	versions := s.user.versions(d.name)
	require.Len(t, versions, 2)
	body := d.newInstance("kept")
	older, newer = versions[0], versions[1]
	if olderThan(t, newer, older) {
		older, newer = newer, older
	}
	body["instance"].(map[string]any)["datastore"].(map[string]any)["version"] = older
	made, task := s.user.create(body)
	s.user.awaitSuccess(task)
	s.id = made.ID
	s.host().remember("before")
	return s, older, newer
}

func TestAnUpgradeKeepsDataUsersAndPasswords(t *testing.T) {
	t.Parallel()
	root := rootFolder(t)
	forEachDatastore(t, func(t *testing.T, d datastore) {
		s, older, newer := newOlder(t, d, root)
		before := s.onVolume()
		testUpgrade(s, older, newer)
		assert.Equal(t, before, s.onVolume(), "the clone is gone")
		s.user.awaitSuccess(s.user.delete(s.id))
		assert.Empty(t, whoSees(t, s.folder("servers")+"/"))
	})
}

func testUpgrade(s *site, older, newer string) {
	assert.Contains(s.t, s.host().version(), older+".")
	for says, version := range map[string]string{"is not newer": older, "1.0": "1.0"} {
		got := s.user.call(http.MethodPatch, "/instances/"+s.id,
			map[string]any{"instance": map[string]any{"datastore_version": version}})
		assert.Equal(s.t, http.StatusBadRequest, got.code, string(got.body))
		assert.Contains(s.t, string(got.body), says)
	}
	running := s.user.upgrade(s.id, newer)
	s.refuses(map[string]any{"restart": nil}, http.StatusUnprocessableEntity, "not currently available")
	s.user.awaitSuccess(running)
	assert.Contains(s.t, s.host().version(), newer+".")
	s.whole()
	s.user.awaitSuccess(s.act(map[string]any{"restart": map[string]any{}}))
	assert.Contains(s.t, s.host().version(), newer+".")
	s.whole()
}

// onVolume are the folders on the database's volume.
func (s *site) onVolume() []string {
	s.t.Helper()
	return namesIn(s.t, filepath.Join(s.host().folder, "data"))
}

// TestAnUpgradeThatFailsGoesBack takes the new version's programs away when the upgrade has begun to be possible.
func TestAnUpgradeThatFailsGoesBack(t *testing.T) {
	t.Parallel()
	actual := rootFolder(t)
	forEachDatastore(t, func(t *testing.T, d datastore) {
		root := filepath.Join(openDir(t, "coffer-root-"), "root")
		output, err := exec.CommandContext(t.Context(), "cp", "-al", actual, root).CombinedOutput()
		require.NoError(t, err, string(output))
		s, older, newer := newOlder(t, d, root)
		within(t, "the newer version's template", func() bool {
			made, err := filepath.Glob(filepath.Join(s.folder("templates"), d.name+"-"+newer+"*"))
			require.NoError(t, err)
			return len(made) > 0
		})
		found, err := filepath.Glob(filepath.Join(root, d.installed[0]))
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.NoError(t, os.Rename(found[0], found[0]+".actual"))
		script(t, found[0], `case "$*" in *--version*|*-V*) exec "$0.actual" "$@";; esac
echo "[ERROR] The moon is in the way"; exit 7`)

		before := s.onVolume()
		ended := s.user.awaitEnd(s.user.upgrade(s.id, newer))
		require.Equal(t, "FAILED", ended.Status, "%+v", ended)
		require.NotNil(t, ended.Error)
		t.Logf("%+v", *ended.Error)
		assert.Equal(t, "upgrade_database", ended.Error.Step)
		shown := s.user.show(s.id)
		assert.Equal(t, "ACTIVE", shown.Status)
		require.NotNil(t, shown.Fault)
		s.user.awaitOperating(s.id, "HEALTHY")
		assert.Contains(t, s.host().version(), older+".")
		assert.Equal(t, []string{"before"}, s.host().remembered())
		assert.Equal(t, before, s.onVolume())

		require.NoError(t, os.Rename(found[0]+".actual", found[0]))
		s.user.awaitSuccess(s.user.upgrade(s.id, newer))
		assert.Contains(t, s.host().version(), newer+".")
		s.whole()
	})
}

// olderThan compares the first numbers of two versions.
func olderThan(t *testing.T, a, b string) bool {
	t.Helper()
	var numbers [2]int
	for i, version := range []string{a, b} {
		_, err := fmt.Sscanf(version, "%d", &numbers[i])
		require.NoError(t, err)
	}
	return numbers[0] < numbers[1]
}
