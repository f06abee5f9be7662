package e2e_test

import (
	"net/http"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testDryRuns tries everything, and finds nothing changed. A refusal is the same as without trying.
func testDryRuns(s *site) {
	own, managed := "/instances/"+s.id, "/mgmt/instances/"+s.id
	action := func(key string, argument any) any { return map[string]any{key: argument} }
	update := func(key string, value any) any { return map[string]any{"instance": map[string]any{key: value}} }
	none := map[string]any{}
	before, database := s.seen(), s.host().pidOf(s.datastore.program)
	for _, c := range []struct {
		by                  *client
		method, path        string
		body                any
		action, first, says string
	}{
		{s.user, http.MethodPost, "/instances", s.datastore.newInstance("tried"), "create_instance", "allocate_address", ""},
		{s.user, http.MethodPost, "/instances", update("replica_of", s.id), "", "", "'name' is a required property"},
		{s.user, http.MethodPost, own + "/action", action("restart", none), "restart_instance", "check_guest", ""},
		{s.user, http.MethodPost, own + "/action", resizeTo("2"), "resize_flavor", "check_guest", ""},
		{s.user, http.MethodPost, own + "/action", resizeTo("1"), "", "", "must be different"},
		{s.user, http.MethodPost, own + "/action", growTo(3), "resize_volume", "check_guest", ""},
		{s.user, http.MethodPost, own + "/action", growTo(1), "", "", "must be larger"},
		{s.user, http.MethodPost, own + "/action", action("promote_to_replica_source", none), "", "", "is not a replica"},
		{s.user, http.MethodPost, own + "/action", action("eject_replica_source", none), "", "", "is not a replica source"},
		{s.user, http.MethodPost, own + "/action", action("reset_status", map[string]any{"force_delete": none}), "reset_status", "", ""},
		{s.user, http.MethodPut, own, update("name", "other"), "rename", "", ""},
		{s.user, http.MethodPut, own, update("replica_of", ""), "", "", "is not a replica"},
		{s.user, http.MethodPatch, own, update("datastore_version", "1.0"), "", "", "1.0"},
		{s.user, http.MethodDelete, own, nil, "delete_instance", "stop_database", ""},
		{s.admin, http.MethodPost, managed + "/action", action("stop", none), "stop_instance", "check_guest", ""},
		{s.admin, http.MethodPost, managed + "/action", action("reboot", none), "reboot_instance", "stop_database", ""},
		{s.admin, http.MethodPost, managed + "/action", action("reset-task-status", none), "reset_task_status", "", ""},
		{s.admin, http.MethodPost, managed + "/action", action("rebuild", map[string]any{"image_id": s.user.versionOf(s.id)}), "rebuild_instance", "stop_database", ""},
		{s.user, http.MethodPost, s.address("v1", own+"/action"), action("restart", map[string]any{"type": "hard"}), "reboot_instance", "stop_database", ""},
	} {
		address := c.path + "?dry_run=true"
		got := c.by.call(c.method, address, c.body)
		if c.says != "" {
			assert.Equal(s.t, http.StatusBadRequest, got.code, "%s %v: %s", c.path, c.body, got.body)
			assert.Contains(s.t, string(got.body), c.says, "%s %v", c.path, c.body)
			continue
		}
		require.Equal(s.t, http.StatusOK, got.code, "%s %v: %s", c.path, c.body, got.body)
		assert.Empty(s.t, got.header.Get("Coffer-Task-Id"))
		var told struct {
			Plan struct {
				Action, Downtime string
				Steps            []struct{ Name string }
			}
		}
		decode(s.t, got, &told)
		assert.Equal(s.t, c.action, told.Plan.Action)
		assert.NotEmpty(s.t, told.Plan.Downtime, c.action)
		if c.first == "" {
			assert.Empty(s.t, told.Plan.Steps, c.action)
		} else if assert.NotEmpty(s.t, told.Plan.Steps, c.action) {
			assert.Equal(s.t, c.first, told.Plan.Steps[0].Name, c.action)
		}
	}
	assert.Equal(s.t, before, s.seen())
	assert.Equal(s.t, database, s.host().pidOf(s.datastore.program))
}

// seen is all that a tenant can see of what is there and of what was done.
func (s *site) seen() []string {
	s.t.Helper()
	var texts []string
	for _, path := range []string{"/instances", "/instances/" + s.id, "/tasks"} {
		got := s.user.call(http.MethodGet, path, nil)
		require.Equal(s.t, http.StatusOK, got.code)
		texts = append(texts, string(got.body))
	}
	return texts
}
