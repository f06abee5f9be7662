package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (w *wire) pages(t *testing.T) {
	for _, collection := range []struct{ path, key string }{
		{"/instances", "instances"}, {"/instances/detail", "instances"}, {"/tasks", "tasks"},
	} {
		seen := map[string]bool{}
		address := w.user.base + collection.path + "?include_clustered=False&limit=1"
		for address != "" {
			body := w.get(t, w.user, address)
			list := listOf(t, body, collection.key)
			require.Len(t, list, 1, address)
			entry, ok := list[0].(map[string]any)
			require.True(t, ok)
			id, ok := entry["id"].(string)
			require.True(t, ok)
			require.False(t, seen[id], "%s comes twice", id)
			seen[id] = true
			links, more := body["links"].([]any)
			if !more {
				assert.NotContains(t, body, "links")
				assert.NotContains(t, body, collection.key+"_links")
				break
			}
			assert.Equal(t, links, body[collection.key+"_links"])
			require.Len(t, links, 1)
			next, ok := links[0].(map[string]any)
			require.True(t, ok)
			assert.Equal(t, "next", next["rel"])
			address, ok = next["href"].(string)
			require.True(t, ok)
			assert.Contains(t, address, "include_clustered=False")
			assert.Contains(t, address, "limit=1")
			assert.Contains(t, address, "marker="+id)
		}
		assert.Len(t, seen, 2, collection.path)
	}
	newest, ok := listOf(t, w.get(t, w.user, "/instances"), "instances")[0].(map[string]any)
	require.True(t, ok)
	assert.Contains(t, []any{w.first.ID, w.second.ID}, newest["id"])
}

func (w *wire) changes(t *testing.T) {
	action := "/instances/" + w.first.ID + "/action"
	accepted := func(got answer) string {
		t.Helper()
		require.Equal(t, http.StatusAccepted, got.code, string(got.body))
		assert.Empty(t, got.body)
		assert.Equal(t, "0", got.header.Get("Content-Length"))
		assert.Regexp(t, requestIDForm, got.header.Get("X-Openstack-Request-Id"))
		assert.Regexp(t, uuidForm, got.header.Get("Coffer-Task-Id"))
		return got.header.Get("Coffer-Task-Id")
	}
	for _, body := range []string{`{"restart":null}`, `{"restart":{}}`, `{"restart":{"when":"now"}}`} {
		id := accepted(w.user.raw(http.MethodPost, action, body, "Content-Type", "application/json; charset=utf-8"))
		w.user.awaitSuccess(id)
	}
	once := []string{"Content-Type", "application/json", "Idempotency-Key", "only-once"}
	first := accepted(w.user.raw(http.MethodPost, action, `{"restart":{}}`, once...))
	again := accepted(w.user.raw(http.MethodPost, action, `{"restart":{}}`, once...))
	assert.Equal(t, first, again, "the same key is the same task")
	elsewhere := "/instances/" + w.second.ID + "/action"
	other := object(t, w.user.raw(http.MethodPost, elsewhere, `{"restart":{}}`, once...), http.StatusUnprocessableEntity)
	assert.Contains(t, messageOf(t, other, "unprocessableEntity"), "Idempotency-Key")
	w.user.awaitSuccess(first)

	id := accepted(w.user.raw(http.MethodDelete, "/instances/"+w.first.ID, ""))
	if shown := w.user.raw(http.MethodGet, "/instances/"+w.first.ID, ""); shown.code != http.StatusNotFound {
		assert.Equal(t, "SHUTDOWN", objectIn(t, object(t, shown, http.StatusOK), "instance")["status"])
	}
	w.user.awaitSuccess(id)
	gone := object(t, w.user.raw(http.MethodGet, "/instances/"+w.first.ID, ""), http.StatusNotFound)
	assert.Contains(t, messageOf(t, gone, "itemNotFound"), w.first.ID)
}

func (w *wire) events(t *testing.T) {
	restart := w.user.restart(w.second.ID)
	w.user.awaitSuccess(restart)
	heard := w.eventsAfter(t, "1", restart)
	require.NotEmpty(t, heard)
	middle := len(heard) / 2
	assert.Equal(t, heard[middle+1:], w.eventsAfter(t, heard[middle].id, restart), "nothing is missed, nothing comes twice")
	for i, e := range heard {
		require.Contains(t, []string{"task", "instance"}, e.kind)
		var told map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(e.data), &told))
		assert.Contains(t, told, e.kind)
		assert.Contains(t, told, "time")
		if i > 0 {
			assert.NotEqual(t, heard[i-1].id, e.id)
		}
	}
}

type sentEvent struct{ id, kind, data string }

// eventsAfter are the events after one, up to the one that tells of the task's success.
func (w *wire) eventsAfter(t *testing.T, last, taskID string) []sentEvent {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := w.user.request(ctx, http.MethodGet, "/events", nil, "Last-Event-ID", last, "Accept", "text/event-stream")
	require.NoError(t, err)
	response, err := w.user.http.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, http.StatusOK, response.StatusCode)
	assert.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	assert.Equal(t, "no-cache", response.Header.Get("Cache-Control"))
	assert.Regexp(t, requestIDForm, response.Header.Get("X-Openstack-Request-Id"))
	var heard []sentEvent
	var e sentEvent
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			e.data = value
		case "":
			if e.data == "" {
				continue // a sign of life
			}
			heard = append(heard, e)
			var told struct{ Task task }
			require.NoError(t, json.Unmarshal([]byte(e.data), &told))
			e = sentEvent{}
			if told.Task.ID == taskID && told.Task.Status == "SUCCEEDED" {
				return heard
			}
		}
	}
	require.FailNow(t, "the stream of events ended", "%v", lines.Err())
	return nil
}
