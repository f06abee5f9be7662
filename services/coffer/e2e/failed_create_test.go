package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/nettest"
)

// counted is a quota that a second create must exceed, as long as the first one counts, and a queue to look into.
func counted(t testing.TB) serveOption {
	t.Helper()
	return withEnv("COFFER_API_QUOTA_INSTANCES=1", queueVariable+nettest.FreeAddress(t))
}

func TestACreateThatFailsEndsInErrorAndDeleteRemovesEverything(t *testing.T) {
	t.Parallel()
	t.Run("the volume is larger than the disk", func(t *testing.T) {
		s := startServe(t, newDataDir(t), counted(t), withEnv("COFFER_API_MAX_ACCEPTED_VOLUME_SIZE=100000000", "COFFER_API_QUOTA_VOLUMES=-1"))
		body := newInstance("huge")
		body["instance"].(map[string]any)["volume"] = map[string]any{"size": 90000000}
		s.assertCreateFails(body, "create_volume", "NO_SPACE", "disk has")
	})
	t.Run("the database's program is gone", func(t *testing.T) {
		e := newEngine(t)
		s := startServe(t, newDataDir(t), counted(t), e.used())
		template := s.awaitTemplate()
		e.vanish()
		s.assertCreateFails(newInstance("engineless"), "prepare_database", "ENGINE_MISSING", "mariadb-server-core")
		require.NoError(t, os.RemoveAll(template))
		s.assertCreateFails(newInstance("shapeless"), "create_server", "NO_ENGINE", "mariadb is not installed")
	})
	t.Run("the database's program does not start", func(t *testing.T) {
		e := newEngine(t)
		s := startServe(t, newDataDir(t), counted(t), e.used())
		s.awaitTemplate()
		e.fail()
		s.assertCreateFails(newInstance("moonstruck"), "prepare_database", "DATABASE_NOT_STARTED", "The moon is in the way")
	})
	t.Run("the agent's program is not there", func(t *testing.T) {
		path, used := agentProgram(t, "exit 1")
		require.NoError(t, os.Remove(path))
		s := startServe(t, newDataDir(t), counted(t), used)
		s.assertCreateFails(newInstance("agentless"), "create_server", "NO_GUEST_AGENT", "local.guestagent")
	})
	t.Run("the agent ends at its start", func(t *testing.T) {
		_, used := agentProgram(t, "echo coffer-guestagent: the dog ate the settings >&2; exit 1")
		s := startServe(t, newDataDir(t), counted(t), used)
		s.assertCreateFails(newInstance("stillborn"), "enrol_guest", "SERVER_DOWN", "the dog ate the settings")
	})
	t.Run("the agent never enrols", func(t *testing.T) {
		_, used := agentProgram(t, `kill -STOP $$; exec "$agent" "$@"`)
		s := startServe(t, newDataDir(t), counted(t), used, withEnv("COFFER_TASKMANAGER_BOOT_LIMIT=2s"))
		s.assertCreateFails(newInstance("silent"), "enrol_guest", "STEP_TIMEOUT", "connection refused")
	})
	t.Run("the template is broken", func(t *testing.T) {
		s := startServe(t, newDataDir(t), counted(t))
		file := filepath.Join(s.awaitTemplate(), "data", "ibdata1")
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.Remove(file)) // other tests have it too
		require.NoError(t, os.WriteFile(file, text[:12345], 0o600))
		s.assertCreateFails(newInstance("torn"), "prepare_database", "DATABASE_NOT_STARTED", "ibdata1")
	})
}

func TestACreateWhoseAgentIsKilledBeforeItsDatabaseRunsEndsInError(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t), counted(t))
	user := s.signIn("coffer")
	before := s.holdings()
	made, taskID := s.createBeheaded(user)
	s.assertFailed(user, made, taskID, "", "SERVER_DOWN", "neither its agent nor its database runs")
	user.awaitSuccess(user.delete(made.ID))
	assert.Equal(t, before, s.holdings())
}

// createBeheaded creates an instance and kills its agent before there is a database. On a busy machine the database may be
// quicker: then it is done again.
func (s *serve) createBeheaded(user *client) (made instance, task string) {
	s.t.Helper()
	for {
		made, task = user.create(newInstance("beheaded"))
		host := machine{t: s.t, folder: filepath.Join(s.folder("servers"), made.ID)}
		within(s.t, "the agent", func() bool { return len(host.pidsOf("coffer-guestagent")) == 1 })
		agent := host.pidOf("coffer-guestagent")
		// Stopped first, so that what is looked at is what is killed.
		require.NoError(s.t, syscall.Kill(agent, syscall.SIGSTOP))
		if len(host.pidsOf("mariadbd")) == 0 {
			require.NoError(s.t, syscall.Kill(agent, syscall.SIGKILL))
			return made, task
		}
		require.NoError(s.t, syscall.Kill(agent, syscall.SIGCONT))
		user.awaitSuccess(task)
		user.awaitSuccess(user.delete(made.ID))
	}
}

func TestACreateOnADiskThatFillsUpEndsInErrorAndDeleteRemovesEverything(t *testing.T) {
	t.Parallel()
	dataDir := newDataDir(t)
	disk := onSmallDisk(t, dataDir, 1500<<20)
	// The volume is made while there is room, and the room is gone when the database's files come.
	doomed := startServe(t, dataDir, withEnv("COFFER_CRASHPOINT=create_instance/create_volume/done/after"))
	doomed.awaitTemplate()
	before := doomed.inventory()
	made, taskID := doomed.signIn("coffer").create(newInstance("cramped"))
	doomed.awaitExit()
	fillDisk(t, disk, 16<<20)

	s := startServe(t, dataDir)
	user := s.signIn("coffer")
	s.assertFailed(user, made, taskID, "prepare_database", "VOLUME_UNWRITABLE", "may be full")
	user.awaitSuccess(user.delete(made.ID))
	assert.Equal(t, before, s.inventory())
}

// assertCreateFails creates twice what cannot be created: the first leaves an instance in ERROR that counts until it is
// deleted, and the second finds everything as the first did. An empty step, code or cause may be any.
func (s *serve) assertCreateFails(body map[string]any, step, code, cause string) {
	s.t.Helper()
	user := s.signIn("coffer")
	before := s.holdings()
	for range 2 {
		made, taskID := user.create(body)
		s.assertFailed(user, made, taskID, step, code, cause)
		assert.Equal(s.t, http.StatusRequestEntityTooLarge, user.call(http.MethodPost, "/instances", body).code,
			"a failed instance counts until it is deleted")
		user.awaitSuccess(user.delete(made.ID))
		assert.Equal(s.t, http.StatusNotFound, user.call(http.MethodGet, "/instances/"+made.ID, nil).code)
		assert.Equal(s.t, before, s.holdings())
	}
}

// assertFailed waits for the end of a create and looks at what the user is told of it.
func (s *serve) assertFailed(user *client, made instance, taskID, step, code, cause string) {
	s.t.Helper()
	ended := user.awaitEnd(taskID)
	require.Equal(s.t, "FAILED", ended.Status, "%+v", ended)
	require.NotNil(s.t, ended.Error)
	s.t.Logf("%+v", *ended.Error)
	if step != "" {
		assert.Equal(s.t, step, ended.Error.Step)
	}
	if code != "" {
		assert.Equal(s.t, code, ended.Error.Code)
	}
	assert.Contains(s.t, ended.Error.Message, cause)
	shown := user.show(made.ID)
	assert.Equal(s.t, "ERROR", shown.Status)
	require.NotNil(s.t, shown.Fault)
	assert.Contains(s.t, shown.Fault.Message, ended.Error.Step)
	assert.Contains(s.t, shown.Fault.Message, "delete the instance")
}

// awaitTemplate waits until a template of a database is there, and answers with its folder.
func (s *serve) awaitTemplate() string {
	s.t.Helper()
	var found []string
	within(s.t, "a template", func() bool {
		var err error
		found, err = filepath.Glob(filepath.Join(s.folder("templates"), "*", "complete"))
		return err == nil && len(found) > 0
	})
	return filepath.Dir(found[0])
}
