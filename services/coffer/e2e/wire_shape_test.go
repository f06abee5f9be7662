package e2e_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func decode(t testing.TB, got answer, into any) {
	t.Helper()
	require.Equal(t, http.StatusOK, got.code, string(got.body))
	require.NoError(t, json.Unmarshal(got.body, into))
}

func listOf(t *testing.T, body map[string]any, key string) []any {
	t.Helper()
	list, ok := body[key].([]any)
	require.True(t, ok, "%s is no list in %v", key, body)
	return list
}

func objectIn(t *testing.T, body map[string]any, key string) map[string]any {
	t.Helper()
	found, ok := body[key].(map[string]any)
	require.True(t, ok, "%s is no object in %v", key, body)
	return found
}

func keysOf(o map[string]any) []string { return slices.Sorted(maps.Keys(o)) }

// words are the sorted words of a text: the keys that an object must have, no more and no fewer.
func words(text string) []string { return slices.Sorted(slices.Values(strings.Fields(text))) }

const (
	listKeys   = "id name status operating_status links flavor datastore region access volume ip addresses"
	detailKeys = listKeys + " created updated service_status_updated"
	adminKeys  = detailKeys + " tenant_id server_id volume_id encrypted_rpc_messaging"
)

func (w *wire) get(t *testing.T, c *client, path string) map[string]any {
	t.Helper()
	got := c.raw(http.MethodGet, path, "")
	assert.Regexp(t, requestIDForm, got.header.Get("X-Openstack-Request-Id"))
	return object(t, got, http.StatusOK)
}

func (w *wire) shapes(t *testing.T) {
	whole := objectIn(t, w.get(t, w.user, "/instances/"+w.first.ID), "instance")
	assert.Equal(t, words(detailKeys), keysOf(whole))
	for _, key := range []string{"created", "updated", "service_status_updated"} {
		assert.Regexp(t, timestampForm, whole[key], key)
	}
	assert.Equal(t, words("type version version_number"), keysOf(objectIn(t, whole, "datastore")))
	volume := objectIn(t, whole, "volume")
	assert.Equal(t, words("size used used_percent"), keysOf(volume))
	assert.Equal(t, json.Number("1"), volume["size"])
	assert.Regexp(t, `^0\.\d{1,2}$`, volume["used"])
	flavor := objectIn(t, whole, "flavor")
	assert.Equal(t, "1", flavor["id"])
	assert.Equal(t, []any{
		map[string]any{"rel": "self", "href": w.user.base + "/flavors/1"},
		map[string]any{"rel": "bookmark", "href": w.root() + "/flavors/1"},
	}, flavor["links"])
	assert.Equal(t, []any{
		map[string]any{"rel": "self", "href": w.user.base + "/instances/" + w.first.ID},
		map[string]any{"rel": "bookmark", "href": w.root() + "/instances/" + w.first.ID},
	}, whole["links"])
	assert.Equal(t, map[string]any{"is_public": false}, whole["access"])
	address, ok := listOf(t, whole, "addresses")[0].(map[string]any)
	require.True(t, ok)
	assert.Equal(t, words("address type network"), keysOf(address))
	assert.Equal(t, []any{address["address"]}, whole["ip"])
	assert.Regexp(t, uuidForm, address["network"])

	for _, listed := range listOf(t, w.get(t, w.user, "/instances"), "instances") {
		entry, ok := listed.(map[string]any)
		require.True(t, ok)
		assert.Equal(t, words(listKeys), keysOf(entry))
		assert.Equal(t, words("size"), keysOf(objectIn(t, entry, "volume")))
		assert.Equal(t, words("type version"), keysOf(objectIn(t, entry, "datastore")))
	}
	for _, listed := range listOf(t, w.get(t, w.user, "/instances/detail"), "instances") {
		entry, ok := listed.(map[string]any)
		require.True(t, ok)
		assert.Equal(t, words(detailKeys), keysOf(entry))
		assert.Equal(t, words("size"), keysOf(objectIn(t, entry, "volume")))
	}
	w.catalogShapes(t)
	w.taskShape(t)
}

func (w *wire) catalogShapes(t *testing.T) {
	tiny := objectIn(t, w.get(t, w.user, "/flavors/1"), "flavor")
	assert.Equal(t, words("id links name ram vcpus disk ephemeral str_id"), keysOf(tiny))
	for key, number := range map[string]json.Number{"id": "1", "ram": "512", "vcpus": "1", "disk": "0", "ephemeral": "0"} {
		assert.Equal(t, number, tiny[key], key)
	}
	assert.Equal(t, "1", tiny["str_id"])
	assert.Len(t, listOf(t, w.get(t, w.user, "/flavors"), "flavors"), 4)

	limits := listOf(t, w.get(t, w.user, "/limits"), "limits")
	assert.Equal(t, []any{map[string]any{
		"verb": "ABSOLUTE", "max_instances": json.Number("10"), "max_ram": json.Number("-1"),
		"max_volumes": json.Number("300"), "max_backups": json.Number("50"),
	}}, limits)

	store := objectIn(t, w.get(t, w.user, "/datastores/mariadb"), "datastore")
	assert.Equal(t, words("id name links versions default_version"), keysOf(store))
	embedded, ok := listOf(t, store, "versions")[0].(map[string]any)
	require.True(t, ok)
	assert.Equal(t, words("id name version links"), keysOf(embedded))
	name, ok := embedded["name"].(string)
	require.True(t, ok)
	byName := w.get(t, w.user, "/datastores/mariadb/versions/"+name)
	assert.Equal(t, words("id name version links datastore"), keysOf(objectIn(t, byName, "version")))
	id, ok := embedded["id"].(string)
	require.True(t, ok)
	assert.Equal(t, byName, w.get(t, w.user, "/datastores/versions/"+id))
	storeID, ok := store["id"].(string)
	require.True(t, ok)
	assert.Equal(t, store, objectIn(t, w.get(t, w.user, "/datastores/"+storeID), "datastore"))
}

func (w *wire) taskShape(t *testing.T) {
	shown := objectIn(t, w.get(t, w.user, "/tasks/"+w.createTask()), "task")
	assert.Equal(t, words("id action instance_id instance_name status progress steps created started finished request_id"),
		keysOf(shown))
	assert.Equal(t, json.Number("100"), shown["progress"])
	assert.Regexp(t, requestIDForm, shown["request_id"])
	for _, key := range []string{"created", "started", "finished"} {
		assert.Regexp(t, timestampForm, shown[key], key)
	}
	for _, entry := range listOf(t, shown, "steps") {
		step, ok := entry.(map[string]any)
		require.True(t, ok)
		assert.Equal(t, words("name status attempt started finished message"), keysOf(step))
		assert.Equal(t, json.Number("1"), step["attempt"])
	}
}

func (w *wire) adminShapes(t *testing.T) {
	// An admin finds every project's instances by id, on a path of the admin's own project.
	whole := objectIn(t, w.get(t, w.admin, "/instances/"+w.first.ID), "instance")
	assert.Equal(t, words(adminKeys), keysOf(whole))
	assert.Equal(t, w.user.projectID, whole["tenant_id"])
	assert.Empty(t, listOf(t, w.get(t, w.admin, "/instances"), "instances"), "lists are of the token's project")

	versions := listOf(t, w.get(t, w.admin, "/datastores/mariadb/versions"), "versions")
	version, ok := versions[0].(map[string]any)
	require.True(t, ok)
	for _, key := range []string{"active", "packages", "image"} {
		assert.Contains(t, version, key)
	}
	assert.Equal(t, true, version["active"])
}
