package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rootFolder is a root folder with the database servers of another release, which `make engine-root` makes.
func rootFolder(t testing.TB) string {
	t.Helper()
	const variable = "COFFER_TEST_ENGINE_ROOT"
	folder := os.Getenv(variable)
	switch {
	case os.Geteuid() != 0:
		t.Skip("root folders are for root")
	case folder == "":
		t.Skipf("%s names no root folder; `make engine-root` makes one", variable)
	}
	require.DirExists(t, folder)
	return folder
}

func TestTwoVersionsStandSideBySideAndNothingIsLeftOfEither(t *testing.T) {
	t.Parallel()
	folder := rootFolder(t)
	forEachDatastore(t, func(t *testing.T, d datastore) { testSideBySide(t, d, folder) })
}

func testSideBySide(t *testing.T, d datastore, rootFolder string) {
	withRoot := withEnv("COFFER_TASKMANAGER_LOCAL_ENGINE_ROOTS=" + rootFolder)
	s := startServe(t, newDataDir(t), withRoot)
	user := s.signIn("coffer")
	before := s.inventory()
	versions := user.versions(d.name)
	require.Len(t, versions, 2)

	made, pids := map[string]instance{}, map[string]int{}
	for _, version := range versions {
		body := d.newInstance(version)
		body["instance"].(map[string]any)["datastore"].(map[string]any)["version"] = version
		i, task := user.create(body)
		user.awaitSuccess(task)
		made[version] = user.show(i.ID)
		host := s.machine(made[version])
		host.remember("before")
		assert.Contains(t, host.version(), version+".")
		pids[version] = host.pidOf(d.program)
	}
	assert.NotEmpty(t, whoSees(t, s.folder("servers")+"/"), "neither is in a root folder")

	s.kill()
	s = startServe(t, s.dataDir, withRoot)
	user = s.signIn("coffer")
	for version, i := range made {
		host := s.machine(i)
		assert.Equal(t, pids[version], host.pidOf(d.program), "%s was not found again", version)
		user.awaitSuccess(user.restart(i.ID))
		assert.NotEqual(t, pids[version], host.pidOf(d.program))
		host.remember("after")
	}

	s.interrupt()
	assert.Empty(t, whoSees(t, s.folder("servers")+"/"))
	s = startServe(t, s.dataDir, withRoot)
	user = s.signIn("coffer")
	for version, i := range made {
		host := s.machine(i)
		within(t, version+" to be back", host.answers)
		host.awaitRemembered("after", "before")
		// A machine that has lost its agent and its database leaves no more than any other.
		host.powerOff()
		user.awaitSuccess(user.delete(i.ID))
	}
	assert.Equal(t, before, s.inventory())
	assert.Empty(t, whoSees(t, s.folder("servers")+"/"))
}

// versions are the names of a datastore's versions.
func (c *client) versions(datastore string) []string {
	c.t.Helper()
	got := c.call(http.MethodGet, "/datastores/"+datastore+"/versions", nil)
	require.Equal(c.t, http.StatusOK, got.code, string(got.body))
	var list struct{ Versions []struct{ Name string } }
	require.NoError(c.t, json.Unmarshal(got.body, &list))
	var names []string
	for _, v := range list.Versions {
		names = append(names, v.Name)
	}
	return names
}

// version is what the database says of itself.
func (m machine) version() string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var version string
	require.NoError(m.t, m.open().QueryRowContext(ctx, "SELECT version()").Scan(&version))
	return version
}

// whoSees are the processes that see something of the folder mounted, whatever namespace they are in.
func whoSees(t testing.TB, folder string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/mountinfo")
	require.NoError(t, err)
	var found []string
	for _, file := range files {
		// One that has ended meanwhile sees nothing.
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), folder) {
			found = append(found, file)
		}
	}
	return found
}
