package e2e_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// batchResult is DMS's of one instance, with what only those get who ask for it.
type batchResult struct {
	Result, Instance, Reason string
	JobID                    string `json:"job_id"`
}

func (c *client) batch(body map[string]any) []batchResult {
	c.t.Helper()
	got := c.call(http.MethodPost, "/instances/action", body, "Coffer-Batch-Details", "true")
	var told struct{ Results []batchResult }
	decode(c.t, got, &told)
	return told.Results
}

// assertBatch requires that all were accepted in the order asked, and waits for their tasks.
func (c *client) assertBatch(body map[string]any, ids []string) {
	c.t.Helper()
	results := c.batch(body)
	require.Len(c.t, results, len(ids))
	for i, result := range results {
		assert.Equal(c.t, ids[i], result.Instance)
		assert.Equal(c.t, "success", result.Result, result.Reason)
	}
	for _, result := range results {
		c.awaitSuccess(result.JobID)
	}
}

func TestManyInstancesAreRestartedAndDeletedInOneCall(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	user := s.signIn("coffer")
	before := s.inventory()
	var ids, tasks []string
	add := func(body map[string]any) string {
		made, task := user.create(body)
		ids, tasks = append(ids, made.ID), append(tasks, task)
		return made.ID
	}
	for _, d := range everyDatastore {
		source := add(d.newInstance("source"))
		user.awaitSuccess(tasks[len(tasks)-1])
		add(map[string]any{"instance": map[string]any{"name": "replica", "replica_of": source}})
	}
	for len(ids) < 10 {
		add(newInstance("alone"))
	}
	starts := map[string]int{}
	for i, id := range ids {
		user.awaitSuccess(tasks[i])
		starts[id] = s.machine(user.show(id)).pidOf(s.machine(user.show(id)).datastore.program)
	}
	s.machine(user.show(ids[0])).remember("before")

	user.assertBatch(map[string]any{"action": "restart", "instances": ids}, ids)
	for _, id := range ids {
		host := s.machine(user.show(id))
		assert.NotEqual(t, starts[id], host.pidOf(host.datastore.program))
		assert.Equal(t, "HEALTHY", user.show(id).OperatingStatus)
	}
	assert.Equal(t, []string{"before"}, s.machine(user.show(ids[0])).remembered())
	s.machine(user.show(ids[1])).awaitRemembered("before")

	user.refusesBatches(t, ids)
	// One that fails leaves the others alone: nobody's, another project's, and a source whose replica stays.
	admin := s.signIn("coffer-admin")
	for _, result := range admin.batch(map[string]any{"action": "delete", "instances": []string{nobodysID}}) {
		assert.Equal(t, "failed", result.Result)
	}
	results := user.batch(map[string]any{"action": "delete", "instances": []string{ids[0], nobodysID, ids[9]}})
	require.Len(t, results, 3)
	assert.Equal(t, []string{"failed", "failed", "success"},
		[]string{results[0].Result, results[1].Result, results[2].Result})
	assert.Contains(t, results[0].Reason, "Detach replicas")
	user.awaitSuccess(results[2].JobID)
	// The sources stand before their replicas.
	user.assertBatch(map[string]any{"action": "delete", "instances": ids[:9]}, ids[:9])
	assert.Equal(t, before, s.inventory())
}

func (c *client) refusesBatches(t *testing.T, ids []string) {
	many := make([]string, 51)
	for i := range many {
		many[i] = nobodysID
	}
	call := func(body map[string]any) answer { return c.call(http.MethodPost, "/instances/action", body) }
	for errorCode, body := range map[string]map[string]any{
		"DMS.00400064": {"action": "stop", "instances": ids},
		"DMS.00400065": {"action": "restart", "instances": []string{}},
		"DMS.00400061": {"action": "restart", "instances": []string{"first"}},
		"DMS.00400082": {"action": "restart", "instances": []string{ids[0], ids[0]}},
		"DMS.00400100": {"action": "restart", "instances": many},
		"DMS.00400062": {"action": "restart", "allFailure": "true"},
	} {
		got := object(t, call(body), http.StatusBadRequest)
		assert.Equal(t, errorCode, got["error_code"], "%v", body)
		assert.NotEmpty(t, got["error_msg"])
		assert.Len(t, got, 2)
	}
	for errorCode, body := range map[string]string{"DMS.00400004": "", "DMS.00400005": `{"action"`} {
		got := object(t, c.raw(http.MethodPost, "/instances/action", body, "Content-Type", "application/json"), http.StatusBadRequest)
		assert.Equal(t, errorCode, got["error_code"])
	}
	got := object(t, c.raw(http.MethodPost, "/instances/action", `{}`, "X-Auth-Token", ""), http.StatusUnauthorized)
	assert.Contains(t, got["error_code"], "DMS.1024010")
	// Whoever does not ask gets DMS's two keys alone.
	plain := object(t, call(map[string]any{"action": "restart", "instances": []string{nobodysID}}), http.StatusOK)
	assert.Equal(t, map[string]any{"results": []any{map[string]any{"result": "failed", "instance": nobodysID}}}, plain)
}

func TestAllThatFailedToBeCreatedIsDeletedInOneCall(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	s := startServe(t, newDataDir(t), e.used())
	user := s.signIn("coffer")
	alive := user.createReady("alive")
	e.fail()
	failed, task := user.create(newInstance("failed"))
	require.Equal(t, "FAILED", user.awaitEnd(task).Status)
	// One that ran once is none of them, whatever became of it.
	require.Equal(t, "FAILED", user.awaitEnd(user.restart(alive.ID)).Status)

	for _, none := range []string{"kafka", "postgresql"} {
		got := user.call(http.MethodPost, "/instances/action", map[string]any{"action": "delete", "allFailure": none})
		require.Equal(t, http.StatusNoContent, got.code, string(got.body))
		assert.Empty(t, got.body)
		assert.Equal(t, "ERROR", user.show(failed.ID).Status)
	}
	got := user.call(http.MethodPost, "/instances/action", map[string]any{"action": "delete", "allFailure": "oracle"})
	assert.Equal(t, http.StatusBadRequest, got.code)
	for _, word := range []any{"mariadb", true} {
		got := user.call(http.MethodPost, "/instances/action", map[string]any{"action": "delete", "allFailure": word})
		require.Equal(t, http.StatusNoContent, got.code, string(got.body))
	}
	user.awaitGone(failed.ID)
	assert.Equal(t, alive.ID, user.show(alive.ID).ID)
}
