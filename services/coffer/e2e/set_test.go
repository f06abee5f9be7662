package e2e_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// act sends an action and answers with its task's id.
func (c *client) act(id string, body map[string]any) string {
	c.t.Helper()
	got := c.call(http.MethodPost, "/instances/"+id+"/action", body)
	require.Equal(c.t, http.StatusAccepted, got.code, string(got.body))
	return taskOf(c.t, got)
}

func (c *client) promote(id string) task {
	c.t.Helper()
	return c.awaitSuccess(c.act(id, map[string]any{"promote_to_replica_source": map[string]any{}}))
}

// replicate makes a replica and waits until it follows.
func (c *client) replicate(sourceID, name string) instance {
	c.t.Helper()
	made, id := c.create(map[string]any{"instance": map[string]any{"name": name, "replica_of": sourceID}})
	c.awaitSuccess(id)
	return c.show(made.ID)
}

// withReplicas is an instance of the engine with so many replicas, the source first.
func (c *client) withReplicas(d datastore, count int) []instance {
	c.t.Helper()
	made, id := c.create(d.newInstance("source"))
	c.awaitSuccess(id)
	set := []instance{c.show(made.ID)}
	for i := range count {
		set = append(set, c.replicate(made.ID, "replica-"+string(rune('a'+i))))
	}
	return set
}

// assertSet checks what the API says of a set: the source has exactly these replicas, and each names it.
func (c *client) assertSet(source string, replicas ...string) {
	c.t.Helper()
	shown := c.show(source)
	assert.Nil(c.t, shown.ReplicaOf)
	var ids []string
	for _, r := range shown.Replicas {
		ids = append(ids, r.ID)
	}
	assert.ElementsMatch(c.t, replicas, ids, "replicas of %s", source)
	for _, id := range replicas {
		replica := c.show(id)
		if assert.NotNil(c.t, replica.ReplicaOf, id) {
			assert.Equal(c.t, source, replica.ReplicaOf.ID)
		}
		assert.Equal(c.t, "ACTIVE", replica.Status, "%+v", replica)
	}
	assert.Equal(c.t, "ACTIVE", shown.Status, "%+v", shown)
}

// writable are the members whose databases accept a write at this moment.
func (s *serve) writable(set []instance) []string {
	s.t.Helper()
	var ids []string
	for _, member := range set {
		if s.machine(member).writable() {
			ids = append(ids, member.ID)
		}
	}
	return ids
}

// assertOnlyWriter requires that this member alone of a set accepts writes. It is waited for: what has just been started again
// accepts them a moment after the API, which knows what it was told last, calls it healthy.
func (s *serve) assertOnlyWriter(id string, set []instance) {
	s.t.Helper()
	at := slices.IndexFunc(set, func(i instance) bool { return i.ID == id })
	require.GreaterOrEqual(s.t, at, 0)
	s.machine(set[at]).awaitWritable()
	assert.Equal(s.t, []string{id}, s.writable(set))
}

func TestAReplicaIsMadePromotedAndDetached(t *testing.T) {
	t.Parallel()
	forEachDatastore(t, func(t *testing.T, d datastore) {
		s := startServe(t, newDataDir(t))
		user := s.signIn("coffer")
		before := s.inventory()
		set := user.withReplicas(d, 2)
		source, a, b := set[0], set[1], set[2]
		s.machine(source).remember("before")
		user.assertSet(source.ID, a.ID, b.ID)
		s.machine(a).awaitRemembered("before")
		s.assertOnlyWriter(source.ID, set)

		got := user.call(http.MethodDelete, "/instances/"+source.ID, nil)
		assert.Equal(t, http.StatusForbidden, got.code, string(got.body))
		assert.Contains(t, string(got.body), "Detach replicas before deleting replica source.")

		user.promote(a.ID)
		user.assertSet(a.ID, source.ID, b.ID)
		s.assertOnlyWriter(a.ID, set)
		s.machine(a).remember("after")
		for _, member := range set {
			s.machine(member).awaitRemembered("after", "before")
		}

		detached := user.call(http.MethodPut, "/instances/"+b.ID, map[string]any{"instance": map[string]any{"replica_of": ""}})
		require.Equal(t, http.StatusAccepted, detached.code, string(detached.body))
		user.awaitSuccess(taskOf(t, detached))
		user.assertSet(a.ID, source.ID)
		assert.Nil(t, user.show(b.ID).ReplicaOf)
		s.machine(b).remember("alone")
		assert.Equal(t, []string{"after", "alone", "before"}, s.machine(b).remembered())
		assert.Equal(t, []string{"after", "before"}, s.machine(a).remembered())

		deletions := []string{user.delete(source.ID), user.delete(b.ID)}
		for _, id := range append(deletions, user.delete(a.ID)) {
			user.awaitSuccess(id)
		}
		assert.Equal(t, before, s.inventory())
	})
}

func TestAReplicaComesBackAsAReplica(t *testing.T) {
	t.Parallel()
	forEachDatastore(t, func(t *testing.T, d datastore) {
		dataDir := newDataDir(t)
		s := startServe(t, dataDir)
		user := s.signIn("coffer")
		set := user.withReplicas(d, 1)
		s.machine(set[0]).remember("before")

		user.awaitSuccess(user.restart(set[1].ID))
		s.interrupt()
		s = startServe(t, dataDir)
		user = s.signIn("coffer")
		for _, member := range set {
			user.awaitOperating(member.ID, "HEALTHY")
		}
		s.assertOnlyWriter(set[0].ID, set)
		s.machine(set[0]).remember("after")
		s.machine(set[1]).awaitRemembered("after", "before")
	})
}

func TestASetIsRefusedWhatWouldBreakIt(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	user := s.signIn("coffer")
	set := user.withReplicas(mariadb, 1)
	source, replica := set[0], set[1]
	for name, c := range map[string]struct {
		method, path string
		body         map[string]any
		code         int
		says         string
	}{
		"a replica of a replica": {
			http.MethodPost, "/instances",
			map[string]any{"instance": map[string]any{"name": "x", "replica_of": replica.ID}},
			http.StatusUnauthorized, "Cannot create a replica of a replica",
		},
		"a replica with a flavor": {
			http.MethodPost, "/instances",
			map[string]any{"instance": map[string]any{"name": "x", "replica_of": source.ID, "flavorRef": "2"}},
			http.StatusBadRequest, "Cannot specify flavor when creating replicas.",
		},
		"the promotion of a source": {
			http.MethodPost, "/instances/" + source.ID + "/action",
			map[string]any{"promote_to_replica_source": map[string]any{}},
			http.StatusBadRequest, "is not a replica",
		},
		"the ejection of a living source": {
			http.MethodPost, "/instances/" + source.ID + "/action",
			map[string]any{"eject_replica_source": map[string]any{}},
			http.StatusBadRequest, "has a current heartbeat",
		},
		"the ejection of a replica": {
			http.MethodPost, "/instances/" + replica.ID + "/action",
			map[string]any{"eject_replica_source": map[string]any{}},
			http.StatusBadRequest, "is not a replica source",
		},
		"the detaching of a source": {
			http.MethodPatch, "/instances/" + source.ID,
			map[string]any{"instance": map[string]any{"slave_of": ""}},
			http.StatusBadRequest, "is not a replica",
		},
		"the deletion of a source": {
			http.MethodDelete, "/instances/" + source.ID, nil, http.StatusForbidden, "Detach replicas",
		},
	} {
		got := user.call(c.method, c.path, bodyOf(c.body))
		assert.Equal(t, c.code, got.code, "%s: %s", name, got.body)
		assert.Contains(t, string(got.body), c.says, name)
	}
	user.assertSet(source.ID, replica.ID)
}

// bodyOf keeps a missing body from becoming null.
func bodyOf(body map[string]any) any {
	if body == nil {
		return nil
	}
	return body
}
