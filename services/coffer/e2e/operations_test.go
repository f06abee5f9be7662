package e2e_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// site is a running service with one database that remembers something.
type site struct {
	*serve
	t           *testing.T
	user, admin *client
	datastore   datastore
	id          string
}

func newSite(t *testing.T, d datastore, options ...serveOption) *site {
	t.Helper()
	return newSiteOn(t, d, startServe(t, newDataDir(t), options...))
}

func newSiteOn(t *testing.T, d datastore, s *serve) *site {
	t.Helper()
	made := &site{serve: s, t: t, user: s.signIn("coffer"), admin: s.signIn("coffer-admin"), datastore: d}
	instance, task := made.user.create(d.newInstance("kept"))
	made.user.awaitSuccess(task)
	made.id = instance.ID
	made.host().remember("before")
	return made
}

// in is the site as a part of the test sees it, whose failures are its own.
func (s *site) in(t *testing.T) *site {
	t.Helper()
	part := *s
	user, admin := *s.user, *s.admin
	user.t, admin.t = t, t
	part.t, part.user, part.admin = t, &user, &admin
	return &part
}

// host is the server as it is now: another one after a rebuild.
func (s *site) host() machine {
	m := s.machine(s.user.show(s.id))
	m.t = s.t
	return m
}

func (s *site) act(body map[string]any) string { return s.user.act(s.id, body) }

// part is something that is done to a site.
type part struct {
	name string
	test func(s *site)
}

// goThrough does the parts one after the other; after each, nothing is lost and all is well.
func (s *site) goThrough(parts []part) {
	s.t.Helper()
	for _, part := range parts {
		s.t.Run(part.name, func(t *testing.T) {
			view := s.in(t)
			began := time.Now()
			part.test(view)
			t.Logf("%.1f s", time.Since(began).Seconds())
			view.whole()
		})
	}
}

// everywhere is what is done alike with every provider.
var everywhere = []part{
	{"restart", testRestart},
	{"rename", testRename},
	{"stop", testStop},
	{"reboot", testReboot},
	{"restart in DDM's dialect", testDDMRestart},
	{"hard restart of one that hangs", testHardRestartOfOneThatHangs},
}

// startsAnew requires that the database is another process after what is done.
func (s *site) startsAnew(do func()) {
	s.t.Helper()
	database := s.host().pidOf(s.datastore.program)
	do()
	assert.NotEqual(s.t, database, s.host().pidOf(s.datastore.program))
}

// whole requires that nothing is lost and all is well.
func (s *site) whole() {
	s.t.Helper()
	shown := s.user.show(s.id)
	assert.Equal(s.t, "ACTIVE", shown.Status)
	assert.Equal(s.t, "HEALTHY", shown.OperatingStatus)
	assert.Nil(s.t, shown.Fault)
	assert.Equal(s.t, []string{"before"}, s.host().remembered())
	s.host().remember("after")
	s.host().forget("after")
}

// forget takes a row away again.
func (m machine) forget(word string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := m.open().ExecContext(ctx, "DELETE FROM memory WHERE word = "+m.datastore.parameter, word)
	require.NoError(m.t, err)
}

// manage sends an admin's action.
func (s *site) manage(body any) answer {
	s.t.Helper()
	return s.admin.call(http.MethodPost, "/mgmt/instances/"+s.id+"/action", body)
}

func (s *site) managed(body any) {
	s.t.Helper()
	got := s.manage(body)
	require.Equal(s.t, http.StatusAccepted, got.code, string(got.body))
	assert.Empty(s.t, got.body)
	// The task is the tenant's, as the instance is.
	s.user.awaitSuccess(taskOf(s.t, got))
}

// asked is what the database says when it is asked for one value.
func (m machine) asked(query string) string {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db := m.connect()
	defer func() { require.NoError(m.t, db.Close()) }()
	var value string
	require.NoError(m.t, db.QueryRowContext(ctx, query).Scan(&value))
	return value
}

// TestWhateverIsDoneToAnInstanceItsDataStay does each thing to the same database, one after the other.
func TestWhateverIsDoneToAnInstanceItsDataStay(t *testing.T) {
	t.Parallel()
	forEachDatastore(t, func(t *testing.T, d datastore) {
		s := newSite(t, d, withEnv("COFFER_API_QUOTA_VOLUMES=250"))
		s.goThrough(everywhere)
		s.goThrough([]part{
			{"hard restart of one whose server is gone", testHardRestartOfOneThatIsGone},
			{"rebuild", testRebuild},
			{"resize flavor", testResizeFlavor},
			{"resize volume", testResizeVolume},
			{"reset task status", testResetTaskStatus},
			{"what is only tried", testDryRuns},
		})
	})
}

func testRestart(s *site) {
	s.startsAnew(func() { s.user.awaitSuccess(s.act(map[string]any{"restart": nil})) })
}

func testRename(s *site) {
	database := s.host().pidOf(s.datastore.program)
	// The tests after this one know the instance by its first name.
	for _, to := range []struct{ method, name string }{{http.MethodPut, "renamed"}, {http.MethodPatch, "kept"}} {
		got := s.user.call(to.method, "/instances/"+s.id, map[string]any{"instance": map[string]any{"name": to.name}})
		require.Equal(s.t, http.StatusAccepted, got.code, string(got.body))
		assert.Empty(s.t, got.body)
		assert.Equal(s.t, to.name, s.user.show(s.id).Name)
	}
	assert.Equal(s.t, database, s.host().pidOf(s.datastore.program))
}

// testStop holds that a stop is answered when it is done, and that a restart brings the database back.
func testStop(s *site) {
	got := s.manage(map[string]any{"stop": map[string]any{}})
	require.Equal(s.t, http.StatusAccepted, got.code, string(got.body))
	assert.Empty(s.t, s.host().pidsOf(s.datastore.program))
	s.user.awaitOperating(s.id, "SHUTDOWN")
	s.user.awaitSuccess(s.act(map[string]any{"restart": map[string]any{}}))
}

func testReboot(s *site) {
	agent, database := s.host().pidOf("coffer-guestagent"), s.host().pidOf(s.datastore.program)
	s.managed(map[string]any{"reboot": map[string]any{}})
	assert.NotEqual(s.t, agent, s.host().pidOf("coffer-guestagent"))
	assert.NotEqual(s.t, database, s.host().pidOf(s.datastore.program))
}

func testHardRestartOfOneThatHangs(s *site) {
	s.host().hang()
	s.user.awaitSuccess(s.ddm(map[string]any{"restart": map[string]any{"type": "hard"}}).JobID)
}

func testHardRestartOfOneThatIsGone(s *site) {
	s.host().powerOff()
	s.user.awaitSuccess(s.ddm(map[string]any{"restart": map[string]any{"type": "hard"}}).JobID)
}

func testRebuild(s *site) {
	database := s.host().pidOf(s.datastore.program)
	for says, image := range map[string]any{
		"is a required property": map[string]any{},
		"is not the id":          map[string]any{"image_id": "trixie"},
		"cannot be found":        map[string]any{"image_id": nobodysID},
	} {
		got := s.manage(map[string]any{"rebuild": image})
		assert.Equal(s.t, http.StatusBadRequest, got.code, string(got.body))
		assert.Contains(s.t, string(got.body), says)
	}
	s.managed(map[string]any{"rebuild": map[string]any{"image_id": s.user.versionOf(s.id)}})
	assert.NotEqual(s.t, database, s.host().pidOf(s.datastore.program))
}

// versionOf is the id of the datastore version that an instance has.
func (c *client) versionOf(id string) string {
	c.t.Helper()
	var shown struct {
		Instance struct {
			Datastore struct {
				Type, Version string
				Number        string `json:"version_number"`
			}
		}
	}
	decode(c.t, c.call(http.MethodGet, "/instances/"+id, nil), &shown)
	var found struct{ Version struct{ ID string } }
	store := shown.Instance.Datastore
	decode(c.t, c.call(http.MethodGet, "/datastores/"+store.Type+"/versions/"+store.Version, nil), &found)
	return found.Version.ID
}

// testResetTaskStatus ends a running task at once; what it left undone a restart mends.
func testResetTaskStatus(s *site) {
	running := s.act(map[string]any{"restart": map[string]any{}})
	got := s.manage(map[string]any{"reset-task-status": nil})
	require.Equal(s.t, http.StatusAccepted, got.code, string(got.body))
	ended := s.user.task(running)
	assert.True(s.t, ended.ended(), "%+v", ended)
	assert.Contains(s.t, []string{"CANCELLED", "SUCCEEDED"}, ended.Status)
	s.user.awaitSuccess(s.act(map[string]any{"restart": map[string]any{}}))
}
