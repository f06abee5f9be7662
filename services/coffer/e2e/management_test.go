package e2e_test

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const managedKeys = adminKeys + " server service_status task_description deleted deleted_at"

// managedInstances are what an admin sees of all projects.
func (c *client) managedInstances(t *testing.T, query string) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	for _, one := range listOf(t, object(t, c.call(http.MethodGet, "/mgmt/instances"+query, nil), http.StatusOK), "instances") {
		shown, ok := one.(map[string]any)
		require.True(t, ok)
		id, ok := shown["id"].(string)
		require.True(t, ok)
		found[id] = shown
	}
	return found
}

func TestAnAdminManagesWhatTenantsHave(t *testing.T) {
	t.Parallel()
	s := newSite(t, mariadb)
	gone, task := s.user.create(newInstance("gone"))
	s.user.awaitSuccess(task)
	s.user.awaitSuccess(s.user.delete(gone.ID))

	for query, want := range map[string][]string{
		"": {s.id, gone.ID}, "?deleted=true": {gone.ID}, "?deleted=False": {s.id}, "?deleted=false&include_clustered=True": {s.id},
		"?project_id=" + s.user.projectID: {s.id, gone.ID}, "?project_id=" + s.admin.projectID: nil, "?limit=1&marker=1": {s.id},
	} {
		var ids []string
		for id, shown := range s.admin.managedInstances(t, query) {
			ids = append(ids, id)
			assert.Subset(t, words(managedKeys), keysOf(shown))
			assert.Equal(t, id == gone.ID, shown["deleted"], query)
			assert.Equal(t, s.user.projectID, shown["tenant_id"])
		}
		assert.ElementsMatch(t, want, ids, query)
	}
	shown := objectIn(t, object(t, s.admin.call(http.MethodGet, "/mgmt/instances/"+s.id, nil), http.StatusOK), "instance")
	assert.Equal(t, "No tasks for the instance.", shown["task_description"])
	assert.Equal(t, "ACTIVE", objectIn(t, shown, "server")["status"])
	assert.Equal(t, "HEALTHY", shown["service_status"])
	assert.Equal(t, words("attachments created_at id size status used total"), keysOf(objectIn(t, shown, "volume")))
	assert.Contains(t, objectIn(t, shown, "guest_status"), "state_description")
	deleted := "/mgmt/instances/" + gone.ID
	assert.Equal(t, http.StatusOK, s.admin.call(http.MethodGet, deleted+"?deleted=true", nil).code)
	assert.Equal(t, http.StatusNotFound, s.admin.call(http.MethodGet, deleted+"?deleted=false", nil).code)

	for _, c := range []struct {
		body any
		code int
		says string
	}{
		{map[string]any{"migrate": map[string]any{"host": "compute-2"}}, 400, "The provider 'local' has one host and cannot migrate servers."},
		{map[string]any{"migrate": nil}, 400, "The provider 'local' has one host"},
		{map[string]any{"stop": nil, "reboot": nil}, 400, "Only one action can be specified per request."},
		{map[string]any{"explode": map[string]any{}}, 400, "Invalid instance action: explode"},
		{map[string]any{"rebuild": nil}, 400, "'image_id' is a required property"},
		{map[string]any{}, 400, ""},
		{nil, 400, ""},
	} {
		got := s.manage(c.body)
		assert.Equal(t, c.code, got.code, "%v: %s", c.body, got.body)
		assert.Contains(t, string(got.body), c.says)
	}
	for _, action := range []string{"stop", "reboot", "migrate", "reset-task-status", "rebuild"} {
		body := map[string]any{action: map[string]any{}}
		for _, c := range []struct {
			by   *client
			id   string
			code int
		}{{s.user, s.id, 401}, {s.user, nobodysID, 401}, {s.signIn("coffer-reader"), s.id, 401}, {s.admin, nobodysID, 404}} {
			if action == "rebuild" {
				body = map[string]any{action: map[string]any{"image_id": nobodysID}}
			}
			got := c.by.call(http.MethodPost, "/mgmt/instances/"+c.id+"/action", body)
			assert.Equal(t, c.code, got.code, "%s: %s", action, got.body)
		}
	}
	s.whole()
}

// TestAResetEndsARunningTaskAtOnce has the database hang, so that its restart runs for as long as the test likes.
func TestAResetEndsARunningTaskAtOnce(t *testing.T) {
	t.Parallel()
	forEachDatastore(t, func(t *testing.T, d datastore) {
		s := newSite(t, d, withEnv("COFFER_TASKMANAGER_MONITOR_SIGN_OF_LIFE=1s"))
		hang := func() (task string, goOn func()) {
			pids := s.host().pidsOf(d.program)
			for _, pid := range pids {
				require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
			}
			return s.act(map[string]any{"restart": map[string]any{}}), func() {
				for _, pid := range pids {
					// The one that was stopped may have been ended.
					_ = syscall.Kill(pid, syscall.SIGCONT)
				}
			}
		}
		running, goOn := hang()
		refused := s.user.call(http.MethodPost, "/instances/"+s.id+"/action", map[string]any{"reset_status": map[string]any{}})
		assert.Equal(t, http.StatusForbidden, refused.code, string(refused.body))
		assert.False(t, s.user.task(running).ended())
		got := s.admin.call(http.MethodPost, "/instances/"+s.id+"/action", map[string]any{"reset_status": map[string]any{}})
		require.Equal(t, http.StatusAccepted, got.code, string(got.body))
		assert.Equal(t, "CANCELLED", s.user.task(running).Status)
		goOn()
		s.user.awaitOperating(s.id, "HEALTHY")
		s.user.awaitSuccess(s.act(map[string]any{"restart": map[string]any{}}))
		s.whole()

		running, goOn = hang()
		got = s.user.call(http.MethodPost, "/instances/"+s.id+"/action",
			map[string]any{"reset_status": map[string]any{"force_delete": map[string]any{}}})
		require.Equal(t, http.StatusAccepted, got.code, string(got.body))
		assert.Equal(t, "CANCELLED", s.user.task(running).Status)
		folder := s.host().folder
		goOn()
		s.user.awaitSuccess(s.user.delete(s.id))
		assert.Empty(t, processesOf(t, folder))
		assert.Equal(t, inventory{}, s.inventory())
	})
}
