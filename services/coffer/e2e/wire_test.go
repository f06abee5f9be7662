package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The wire as a client of Trove meets it, of the whole stack: gateway, api, state and identity as they are served. What
// the gateway alone decides is held by its own tests, in more detail.

const (
	uuidForm      = `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`
	requestIDForm = `^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`
	timestampForm = `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`
	nobodysID     = "a5330d7d-0e8c-48b4-9f6c-0f2c4ab1b854"
)

// wire is a running service with two instances, and its users.
type wire struct {
	*serve
	user, admin, reader *client
	first, second       instance
}

func TestTheWireIsTroves(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	w := &wire{serve: s, user: s.signIn("coffer"), admin: s.signIn("coffer-admin"), reader: s.signIn("coffer-reader")}
	made, firstTask := w.user.create(newInstance("first"))
	_, secondTask := w.user.create(newInstance("second"))
	w.user.awaitSuccess(firstTask)
	second := w.user.awaitSuccess(secondTask)
	w.first, w.second = w.user.show(made.ID), w.user.show(second.InstanceID)

	t.Run("versions and health need no token", w.unversioned)
	t.Run("who is not let in is told how to get in", w.refusesStrangers)
	t.Run("every refusal has its code, its key and a sentence", w.refuses)
	t.Run("answers have Trove's keys and types", w.shapes)
	t.Run("an admin sees more", w.adminShapes)
	t.Run("lists are paged by links", w.pages)
	t.Run("queries are read leniently", w.queries)
	t.Run("the suffix json is ignored", w.suffix)
	t.Run("events go on after the last one heard", w.events)
	t.Run("changes are answered by an empty 202", w.changes)
}

// raw sends a body as it stands; an empty header value removes the header.
func (c *client) raw(method, path, body string, headers ...string) answer {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := c.request(ctx, method, path, nil, headers...)
	require.NoError(c.t, err)
	for name, values := range request.Header {
		if values[0] == "" {
			request.Header.Del(name)
		}
	}
	if body != "" {
		request.Body, request.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	response, err := c.http.Do(request)
	require.NoError(c.t, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	return answer{code: response.StatusCode, header: response.Header, body: content}
}

// object reads an answer with its numbers as they were written.
func object(t *testing.T, got answer, wantCode int) map[string]any {
	t.Helper()
	require.Equal(t, wantCode, got.code, string(got.body))
	assert.Equal(t, "application/json", got.header.Get("Content-Type"))
	decoder := json.NewDecoder(bytes.NewReader(got.body))
	decoder.UseNumber()
	var read map[string]any
	require.NoError(t, decoder.Decode(&read), string(got.body))
	return read
}

func (w *wire) root() string { return "http://" + w.listen }

func (w *wire) unversioned(t *testing.T) {
	stranger := &client{t: t, http: w.user.http, patience: patience}
	version := map[string]any{
		"id": "v1.0", "status": "CURRENT", "updated": "2012-08-01T00:00:00Z",
		"links": []any{map[string]any{"rel": "self", "href": w.root() + "/v1.0/"}},
	}
	assert.Equal(t, map[string]any{"versions": []any{version}},
		object(t, stranger.raw(http.MethodGet, w.root()+"/", ""), http.StatusOK))
	for _, path := range []string{"/v1.0", "/v1.0/"} {
		assert.Equal(t, map[string]any{"version": version},
			object(t, stranger.raw(http.MethodGet, w.root()+path, ""), http.StatusOK))
	}
	fault := object(t, stranger.raw(http.MethodGet, w.root()+"/", "",
		"Accept", "application/vnd.openstack.trove+json;version=9.0"), http.StatusNotAcceptable)
	assert.Contains(t, fault, "notAcceptable")
	for path, text := range map[string]string{"/healthcheck": "OK", "/healthz": "ok"} {
		got := stranger.raw(http.MethodGet, w.root()+path, "")
		assert.Equal(t, http.StatusOK, got.code)
		assert.Equal(t, text, string(got.body))
	}
	options := stranger.raw(http.MethodOptions, w.user.base+"/instances", "")
	assert.Equal(t, http.StatusOK, options.code)
	assert.Empty(t, options.body)
}

func (w *wire) refusesStrangers(t *testing.T) {
	for _, token := range []string{"", "stolen", strings.Repeat("a", 64)} {
		for _, call := range []struct{ method, path, body string }{
			{http.MethodGet, "/instances", ""},
			{http.MethodGet, "/nothing", ""},
			{http.MethodPost, "/instances", "{"},
			{http.MethodPut, "/instances", "{}"},
			{http.MethodGet, "/backups", ""},
			{http.MethodGet, "/events", ""},
		} {
			got := w.user.raw(call.method, call.path, call.body, "X-Auth-Token", token, "Content-Type", "application/json")
			assert.JSONEq(t, `{"error":{"code":401,"title":"Unauthorized",
				"message":"The request you have made requires authentication."}}`, string(got.body), "%v", call)
			assert.Equal(t, http.StatusUnauthorized, got.code, "%v", call)
			assert.Equal(t, `Keystone uri="`+w.root()+`/identity/v3"`, got.header.Get("WWW-Authenticate"), "%v", call)
		}
	}
	for _, path := range []string{"/instances", "/instances/" + w.first.ID, "/nothing", "/backups", "/events", ""} {
		foreign := w.root() + "/v1.0/" + w.admin.projectID + path
		fault := object(t, w.user.raw(http.MethodGet, foreign, ""), http.StatusForbidden)
		assert.Contains(t, fault, "forbidden", path)
	}
	claims := []string{
		"Grpc-Metadata-X-Roles", "admin", "Grpc-Metadata-X-Auth-Token", w.admin.token, "X-Roles", "admin", "X-Role", "admin",
		"X-Project-Id", w.admin.projectID, "X-User-Id", "admin", "X-Is-Admin-Project", "True", "X-Identity-Status", "Confirmed",
		"Content-Type", "application/json",
	}
	denied := object(t, w.reader.raw(http.MethodPost, "/instances/"+w.first.ID+"/action", `{"restart":{}}`, claims...),
		http.StatusForbidden)
	assert.Equal(t, "Policy doesn't allow instance:restart to be performed.", messageOf(t, denied, "forbidden"))
}

// messageOf is the sentence of a fault, which has one key and a code.
func messageOf(t *testing.T, fault map[string]any, key string) string {
	t.Helper()
	require.Len(t, fault, 1)
	told, ok := fault[key].(map[string]any)
	require.True(t, ok, "no %s in %v", key, fault)
	message, ok := told["message"].(string)
	require.True(t, ok, "%v", fault)
	require.NotEmpty(t, message)
	return message
}

func (w *wire) queries(t *testing.T) {
	for _, query := range []string{
		"?include_clustered=False", "?include_clustered=True&deleted=True&nothing=1", "?limit=", "?limit=0", "?limit=1000",
		"?limit=1&limit=20", "?from_guest=True", "?name=first", "?project_id=" + w.admin.projectID,
	} {
		list := listOf(t, object(t, w.user.raw(http.MethodGet, "/instances"+query, ""), http.StatusOK), "instances")
		assert.Len(t, list, 2, query)
	}
}

func (w *wire) suffix(t *testing.T) {
	for _, path := range []string{
		"/instances.json", "/instances/detail.json", "/instances/" + w.first.ID + ".json", "/flavors.json", "/flavors/1.json",
		"/datastores.json", "/datastores/mariadb.json", "/limits.json", "/tasks.json",
	} {
		object(t, w.user.raw(http.MethodGet, path, ""), http.StatusOK)
	}
}
