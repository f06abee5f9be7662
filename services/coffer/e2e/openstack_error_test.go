package e2e_test

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sabotage has Nova's driver fail at the next server that it does this to, which Nova leaves in ERROR.
func (b *lab) sabotage(what string) {
	b.t.Helper()
	folder := filepath.Join(cmp.Or(os.Getenv("LAB"), "/var/lib/lab-openstack"), "fail")
	require.NoError(b.t, os.MkdirAll(folder, 0o755))
	require.NoError(b.t, os.WriteFile(filepath.Join(folder, what), nil, 0o600))
	b.t.Cleanup(func() {
		assert.NoFileExists(b.t, filepath.Join(folder, what), "it did not come to that")
		require.NoError(b.t, os.RemoveAll(folder))
	})
}

// TestOpenStackServersThatEndInError breaks a server while it is built, resized and rebuilt: each time the task ends with
// Nova's own sentence, and the instance can be used again, or deleted.
func TestOpenStackServersThatEndInError(t *testing.T) {
	b := openLab(t)
	before := b.inventory()
	s := b.serve()
	user := s.signIn("coffer")

	b.sabotage("spawn")
	stillborn, task := user.create(newInstance("stillborn"))
	s.assertFailed(user, stillborn, task, "create_server", "", "Exhausted all hosts available")
	user.awaitSuccess(user.delete(stillborn.ID))
	assert.Equal(t, before, b.inventory())

	site := newSiteOn(t, mariadb, s)
	b.sabotage("finish_migration")
	site.fails(site.act(resizeTo("2")), "the lab fails to finish_migration")
	assert.Equal(t, "1", user.show(site.id).Flavor.ID)
	assert.Equal(t, []string{"before"}, site.host().remembered())
	user.awaitSuccess(site.act(resizeTo("2")))
	site.whole()

	b.sabotage("spawn")
	rebuild := map[string]any{"rebuild": map[string]any{"image_id": site.newestImage()}}
	got := site.manage(rebuild)
	site.fails(taskOf(t, got), "the lab fails to spawn")
	site.managed(rebuild)
	site.whole()

	user.awaitSuccess(user.delete(site.id))
	assert.Equal(t, before, b.inventory())
}

// fails waits for the end of a task that must fail and say why, also on the instance.
func (s *site) fails(task, says string) {
	s.t.Helper()
	ended := s.user.awaitEnd(task)
	require.Equal(s.t, "FAILED", ended.Status, "%+v", ended)
	require.NotNil(s.t, ended.Error)
	assert.Contains(s.t, ended.Error.Message, says)
	shown := s.user.show(s.id)
	assert.Equal(s.t, "ACTIVE", shown.Status)
	require.NotNil(s.t, shown.Fault)
	assert.Contains(s.t, shown.Fault.Message, says)
}
