package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// soon makes silence count at once: the monitor's and the ejection's limits are settings.
func soon() serveOption {
	return withEnv("COFFER_API_EJECT_SILENCE=1s", "COFFER_TASKMANAGER_MONITOR_SILENCE=3s", "COFFER_TASKMANAGER_MONITOR_SIGN_OF_LIFE=1s")
}

// eject orders the ejection of a source as soon as its silence counts, and answers with its task's id.
func (c *client) eject(id string) (taskID string) {
	c.t.Helper()
	within(c.t, "the ejection to be accepted", func() bool {
		got := c.call(http.MethodPost, "/instances/"+id+"/action", map[string]any{"eject_replica_source": map[string]any{}})
		if got.code == http.StatusBadRequest && strings.Contains(string(got.body), "has a current heartbeat") {
			return false
		}
		require.Equal(c.t, http.StatusAccepted, got.code, string(got.body))
		taskID = taskOf(c.t, got)
		return true
	})
	return taskID
}

// TestADeadSourceIsEjected kills the whole server of a source under a ledger.
func TestADeadSourceIsEjected(t *testing.T) {
	t.Parallel()
	forEachDatastore(t, func(t *testing.T, d datastore) {
		testEjection(t, d, starterOn(t, newDataDir(t)), machine.powerOff, func(machine) {})
	})
}

// TestASourceThatHangsIsEjectedAndStaysFenced stops every process of a source, ejects it, and lets them go on.
func TestASourceThatHangsIsEjectedAndStaysFenced(t *testing.T) {
	t.Parallel()
	forEachDatastore(t, func(t *testing.T, d datastore) {
		testEjection(t, d, starterOn(t, newDataDir(t)), machine.hang, machine.wake)
	})
}

// testEjection ejects a source under a ledger, silenced and woken in between.
func testEjection(t *testing.T, d datastore, start starter, silence, wake func(machine)) {
	s := start(soon())
	user := s.signIn("coffer")
	set := user.withReplicas(d, 2)
	source, host := set[0], s.machine(set[0])
	book := newLedger(t, host, s.machine(set[1]), s.machine(set[2]))
	book.awaitGrowth(ledgerRate)

	silence(host)
	ejected := user.awaitSuccess(user.eject(source.ID))
	book.awaitGrowth(ledgerRate / 10)
	wake(host)
	book.end()

	elected := user.electedOf(set[1:])
	for _, step := range ejected.Steps {
		if step.Name == "elect" {
			assert.Contains(t, step.Message, elected.ID)
			assert.Contains(t, step.Message, "the last position of the source")
			assert.NotContains(t, step.Message, "not known")
			t.Logf("%s: %s", d.name, step.Message)
		}
	}
	other := set[1]
	if other.ID == elected.ID {
		other = set[2]
	}
	user.assertSet(elected.ID, other.ID)
	lost, twice := book.audit(s.machine(elected))
	assert.Empty(t, twice)
	t.Logf("%s: %d rows acknowledged, %d of them behind the elected position", d.name, len(book.acknowledged), len(lost))
	book.assertTail(lost)

	old := user.show(source.ID)
	assert.Nil(t, old.ReplicaOf)
	assert.Empty(t, old.Replicas)
	assert.Equal(t, "SHUTDOWN", old.Status)
	require.NotNil(t, old.Fault)
	assert.Contains(t, old.Fault.Message, "was ejected")
	assert.Empty(t, processesOf(t, host.folder), "the fence holds")
	refused := user.call(http.MethodPost, "/instances/"+source.ID+"/action", map[string]any{"restart": map[string]any{}})
	assert.Equal(t, http.StatusUnprocessableEntity, refused.code, string(refused.body))

	s.interrupt()
	s = start(soon())
	user = s.signIn("coffer")
	user.awaitOperating(elected.ID, "HEALTHY")
	assert.Empty(t, processesOf(t, host.folder), "the fence holds over a restart of the host")
	s.assertOnlyWriter(elected.ID, set[1:])
	for _, id := range []string{source.ID, other.ID, elected.ID} {
		user.awaitSuccess(user.delete(id))
	}
}

// electedOf is the member that follows nobody.
func (c *client) electedOf(members []instance) instance {
	c.t.Helper()
	var found []instance
	for _, member := range members {
		if shown := c.show(member.ID); shown.ReplicaOf == nil {
			found = append(found, shown)
		}
	}
	require.Len(c.t, found, 1)
	return found[0]
}
