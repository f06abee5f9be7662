package e2e_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestADatabaseIsCreatedUsedRestartedAndDeleted(t *testing.T) {
	t.Parallel()
	forEachDatastore(t, testLifecycle)
}

func testLifecycle(t *testing.T, d datastore) {
	s := startServe(t, emptyDataDir(t))
	user := s.signIn("coffer")
	before := s.inventory()

	made, createTask := user.create(d.newInstance("first"))
	assert.Equal(t, "BUILD", made.Status)
	assert.Empty(t, made.OperatingStatus)
	created := user.awaitSuccess(createTask)
	assert.Equal(t, "create_instance", created.Action)
	assert.Equal(t, made.ID, created.InstanceID)
	for _, step := range created.Steps {
		assert.Equal(t, "SUCCEEDED", step.Status, step.Name)
	}
	ready := user.show(made.ID)
	assert.Equal(t, "ACTIVE", ready.Status)
	assert.Equal(t, "HEALTHY", ready.OperatingStatus)
	assert.Equal(t, d.name, ready.Datastore.Type)
	host := s.machine(ready)
	host.remember("before")
	starts := host.databaseStarts()

	restartTask := user.restart(made.ID)
	during := user.show(made.ID)
	assert.True(t, during.Status == "REBOOT" || user.task(restartTask).ended(), "status %s while it restarts", during.Status)
	user.awaitSuccess(restartTask)
	assert.Equal(t, "HEALTHY", user.show(made.ID).OperatingStatus)
	assert.Equal(t, starts+1, host.databaseStarts())
	host.remember("after")
	assert.Equal(t, []string{"after", "before"}, host.remembered())

	user.awaitSuccess(user.delete(made.ID))
	assert.Equal(t, http.StatusNotFound, user.call(http.MethodGet, "/instances/"+made.ID, nil).code)
	assert.Equal(t, before, s.inventory())
}

func TestATenantSeesNothingOfAnother(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	user, admin, reader := s.signIn("coffer"), s.signIn("coffer-admin"), s.signIn("coffer-reader")
	made := user.createReady("mine")

	for _, path := range []string{"/instances", "/instances/detail", "/tasks"} {
		got := admin.call(http.MethodGet, path, nil)
		require.Equal(t, http.StatusOK, got.code, string(got.body))
		assert.NotContains(t, string(got.body), made.ID, path)
	}
	foreign := admin.base[:len(admin.base)-len(admin.projectID)] + user.projectID
	assert.Equal(t, http.StatusForbidden, admin.call(http.MethodGet, foreign+"/instances", nil).code,
		"the project of the path is not the token's")
	assert.Equal(t, http.StatusOK, reader.call(http.MethodGet, "/instances/"+made.ID, nil).code)
	assert.Equal(t, http.StatusForbidden,
		reader.call(http.MethodPost, "/instances/"+made.ID+"/action", map[string]any{"restart": map[string]any{}}).code)
	assert.Equal(t, http.StatusForbidden, reader.call(http.MethodDelete, "/instances/"+made.ID, nil).code)
}

func TestARefusedCreateLeavesNothing(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	user := s.signIn("coffer")
	before := s.inventory()
	for name, change := range map[string]func(map[string]any){
		"no such flavor":           func(i map[string]any) { i["flavorRef"] = "99" },
		"no volume":                func(i map[string]any) { delete(i, "volume") },
		"a volume beyond all size": func(i map[string]any) { i["volume"] = map[string]any{"size": 1 << 20} },
		"a reserved user":          func(i map[string]any) { i["users"] = []any{map[string]any{"name": "root", "password": "x"}} },
		"an unknown database": func(i map[string]any) {
			i["users"] = []any{map[string]any{"name": "u", "password": "x", "databases": []any{map[string]any{"name": "none"}}}}
		},
		"a public address": func(i map[string]any) { i["access"] = map[string]any{"is_public": true} },
		"a foreign network": func(i map[string]any) {
			i["nics"] = []any{map[string]any{"net-id": "a5330d7d-0e8c-48b4-9f6c-0f2c4ab1b854"}}
		},
		"a configuration": func(i map[string]any) { i["configuration"] = "a5330d7d-0e8c-48b4-9f6c-0f2c4ab1b854" },
	} {
		body := newInstance("refused")
		change(body["instance"].(map[string]any))
		got := user.call(http.MethodPost, "/instances", body)
		assert.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge}, got.code, name)
		var fault map[string]struct{ Message string }
		require.NoError(t, json.Unmarshal(got.body, &fault), name)
		require.Len(t, fault, 1, name)
		for _, f := range fault {
			assert.NotEmpty(t, f.Message, name)
		}
	}
	assert.Equal(t, before, s.inventory())
	got := user.call(http.MethodGet, "/tasks", nil)
	assert.JSONEq(t, `{"tasks":[]}`, string(got.body))
}
