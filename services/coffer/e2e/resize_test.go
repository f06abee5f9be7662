package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// memory is how an engine says what it takes of the server's, and what it should with 512 and with 1024 MiB.
var memory = map[string]struct{ query, tiny, small string }{
	mariadb.name:    {"SELECT @@innodb_buffer_pool_size DIV 1048576", "150", "300"},
	postgresql.name: {"SHOW shared_buffers", "51MB", "102MB"},
}

func resizeTo(flavor any) map[string]any {
	return map[string]any{"resize": map[string]any{"flavorRef": flavor}}
}

func growTo(size any) map[string]any {
	return map[string]any{"resize": map[string]any{"volume": map[string]any{"size": size}}}
}

// refuses requires that an action is answered with a code and a sentence, and that no task comes of it.
func (s *site) refuses(body any, code int, says string) {
	s.t.Helper()
	got := s.user.call(http.MethodPost, "/instances/"+s.id+"/action", body)
	assert.Equal(s.t, code, got.code, "%v: %s", body, got.body)
	assert.Contains(s.t, string(got.body), says, "%v", body)
	assert.Empty(s.t, got.header.Get("Coffer-Task-Id"), "%v", body)
}

func testResizeFlavor(s *site) {
	of := memory[s.datastore.name]
	assert.Equal(s.t, of.tiny, s.host().asked(of.query))
	s.refuses(resizeTo("1"), http.StatusBadRequest, "must be different than the current flavor id of '1'")
	s.refuses(resizeTo("99"), http.StatusBadRequest, "99")
	s.refuses(resizeTo(nil), http.StatusBadRequest, "")
	s.refuses(map[string]any{"resize": map[string]any{}}, http.StatusBadRequest, "Invalid request body.")
	s.refuses(map[string]any{"resize": nil}, http.StatusBadRequest, "Invalid request body.")

	database := s.host().pidOf(s.datastore.program)
	running := s.act(resizeTo("2"))
	s.refuses(resizeTo("3"), http.StatusUnprocessableEntity, "not currently available")
	s.user.awaitSuccess(running)
	assert.Equal(s.t, "2", s.user.show(s.id).Flavor.ID)
	assert.Equal(s.t, of.small, s.host().asked(of.query))
	assert.NotEqual(s.t, database, s.host().pidOf(s.datastore.program), "the database was started anew")
	// A flavor's number and its address are its id too.
	s.user.awaitSuccess(s.act(resizeTo(1)))
	s.user.awaitSuccess(s.act(resizeTo(s.user.base + "/flavors/2")))
	s.user.awaitSuccess(s.act(resizeTo("1")))
	assert.Equal(s.t, of.tiny, s.host().asked(of.query))
}

// size is that of the file system that the database's files are on, in MiB.
func (m machine) size() int {
	m.t.Helper()
	var system syscall.Statfs_t
	require.NoError(m.t, syscall.Statfs(filepath.Join(m.folder, "data"), &system))
	return int(system.Blocks * uint64(system.Bsize) >> 20)
}

func testResizeVolume(s *site) {
	s.refuses(growTo(1), http.StatusBadRequest, "must be larger than the current volume size of '1'")
	s.refuses(growTo(301), http.StatusRequestEntityTooLarge, "cannot exceed maximum of 300 GB")
	s.refuses(growTo(300), http.StatusRequestEntityTooLarge, "Quota exceeded")
	s.refuses(growTo(0), http.StatusBadRequest, "resize['volume']['size'] 0 is less than the minimum of 1")
	s.refuses(growTo("big"), http.StatusBadRequest, "'big'")
	s.refuses(growTo(nil), http.StatusBadRequest, "")
	s.refuses(map[string]any{"resize": map[string]any{"volume": nil}}, http.StatusBadRequest, "")

	database, before := s.host().pidOf(s.datastore.program), s.host().size()
	s.user.awaitSuccess(s.act(growTo("2")))
	assert.Equal(s.t, 2, s.user.show(s.id).Volume.Size)
	assert.Equal(s.t, database, s.host().pidOf(s.datastore.program), "the database was not touched")
	if os.Geteuid() == 0 {
		assert.LessOrEqual(s.t, before, 1024)
		assert.InDelta(s.t, 2*before, s.host().size(), 200)
	}
	s.refuses(growTo(2), http.StatusBadRequest, "must be larger than the current volume size of '2'")
	s.refuses(growTo(1), http.StatusBadRequest, "must be larger than the current volume size of '2'")
}

func TestTheVolumesOfASetGrowTogetherAndTheQuotaCountsThemAll(t *testing.T) {
	t.Parallel()
	forEachDatastore(t, func(t *testing.T, d datastore) {
		s := startServe(t, newDataDir(t), withEnv("COFFER_API_QUOTA_VOLUMES=5"))
		user := s.signIn("coffer")
		set := user.withReplicas(d, 1)
		source, replica := set[0], set[1]
		s.machine(source).remember("before")
		for size, says := range map[int]string{3: "Quota exceeded", 4: "Quota exceeded"} {
			got := user.call(http.MethodPost, "/instances/"+source.ID+"/action", growTo(size))
			assert.Equal(t, http.StatusRequestEntityTooLarge, got.code, string(got.body))
			assert.Contains(t, string(got.body), says)
		}
		user.awaitSuccess(user.act(source.ID, growTo(2)))
		for _, member := range set {
			user.awaitIdle(member.ID)
			assert.Equal(t, 2, user.show(member.ID).Volume.Size)
			if os.Geteuid() == 0 {
				assert.Greater(t, s.machine(member).size(), 1024)
			}
		}
		// A replica may have more than its source, and one GiB is left.
		user.awaitSuccess(user.act(replica.ID, growTo(3)))
		got := user.call(http.MethodPost, "/instances/"+source.ID+"/action", growTo(3))
		assert.Equal(t, http.StatusRequestEntityTooLarge, got.code, string(got.body))
		s.assertOnlyWriter(source.ID, set)
		s.machine(source).remember("after")
		s.machine(replica).awaitRemembered("after", "before")

		// What is deleted gives back all that it had.
		user.awaitSuccess(user.delete(replica.ID))
		user.awaitSuccess(user.act(source.ID, growTo(5)))
	})
}

// awaitIdle waits until no task runs on an instance.
func (c *client) awaitIdle(id string) {
	c.t.Helper()
	for _, t := range c.tasks(id) {
		c.awaitEnd(t.ID)
	}
}

// tasks are those of an instance, as far as one page tells.
func (c *client) tasks(id string) []task {
	c.t.Helper()
	var list struct{ Tasks []task }
	decode(c.t, c.call(http.MethodGet, "/tasks?instance_id="+id, nil), &list)
	return list.Tasks
}

// TestAResizeThatFailsGoesBack gives the database a program that starts with little memory only.
func TestAResizeThatFailsGoesBack(t *testing.T) {
	t.Parallel()
	forEachDatastore(t, func(t *testing.T, d datastore) {
		prefix := openDir(t, "coffer-engine-")
		d.modestEngine(t, prefix)
		s := newSite(t, d, withEnv("COFFER_TASKMANAGER_LOCAL_ENGINE_PREFIX="+prefix, "COFFER_API_QUOTA_RAM=1024"))
		of := memory[d.name]
		s.refuses(resizeTo("3"), http.StatusRequestEntityTooLarge, "Quota exceeded")

		ended := s.user.awaitEnd(s.act(resizeTo("2")))
		require.Equal(t, "FAILED", ended.Status, "%+v", ended)
		require.NotNil(t, ended.Error)
		assert.Equal(t, "start_database", ended.Error.Step)
		assert.Contains(t, ended.Error.Message, "The moon is in the way")
		shown := s.user.show(s.id)
		assert.Equal(t, "ACTIVE", shown.Status)
		assert.Equal(t, "1", shown.Flavor.ID)
		require.NotNil(t, shown.Fault)
		assert.Contains(t, shown.Fault.Message, "start_database")
		s.user.awaitOperating(s.id, "HEALTHY")
		assert.Equal(t, of.tiny, s.host().asked(of.query))
		assert.Equal(t, []string{"before"}, s.host().remembered())

		// The quota came back with the flavor: there is just enough for the next.
		d.boldEngine(t, prefix)
		s.user.awaitSuccess(s.act(resizeTo("2")))
		assert.Equal(t, of.small, s.host().asked(of.query))
		s.whole()
	})
}

// modestEngine makes an engine of links to the machine's, whose database refuses the memory of the small flavor.
func (d datastore) modestEngine(t *testing.T, prefix string) {
	t.Helper()
	actual := d.programPath(t)
	require.NoError(t, os.MkdirAll(filepath.Join(prefix, filepath.Dir(actual)), 0o755))
	for _, pattern := range d.tools {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, tool := range found {
			if tool == actual {
				continue
			}
			require.NoError(t, os.MkdirAll(filepath.Join(prefix, filepath.Dir(tool)), 0o755))
			require.NoError(t, os.Symlink(tool, filepath.Join(prefix, tool)))
		}
	}
	script(t, filepath.Join(prefix, actual), fmt.Sprintf(
		`grep -qsE "(300M|102MB)" conf/*.c*nf && { echo "[ERROR] The moon is in the way"; exit 7; }
exec %s "$@"`, actual))
}

// boldEngine takes the fear away.
func (d datastore) boldEngine(t *testing.T, prefix string) {
	t.Helper()
	actual := d.programPath(t)
	require.NoError(t, os.Remove(filepath.Join(prefix, actual)))
	require.NoError(t, os.Symlink(actual, filepath.Join(prefix, actual)))
}

// programPath is where this host's newest database program is.
func (d datastore) programPath(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(d.installed[0])
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return found[len(found)-1]
}
