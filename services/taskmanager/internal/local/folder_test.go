package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServersLiveElsewhereWhenTheirUsersCannotReachTheDataFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has users that need to reach a folder")
	}
	h := newHost(t)
	parent := filepath.Join(openTempDir(t), "closed")
	require.NoError(t, os.Mkdir(parent, 0o700))
	usual := h.cfg.DataDir
	h.cfg.DataDir = filepath.Join(parent, "data")
	p := h.open(t)
	home := filepath.Join(closedHome, p.folder.identity.ID)
	t.Cleanup(func() {
		h.clean(t)
		require.NoError(t, os.RemoveAll(home))
		h.cfg.DataDir = usual
	})

	for _, dir := range []string{p.folder.servers, p.folder.volumes, p.folder.templates} {
		assert.True(t, strings.HasPrefix(dir, home+"/"), dir)
		closed, err := closedParent(dir)
		require.NoError(t, err)
		assert.Empty(t, closed)
		link, err := os.Readlink(filepath.Join(h.cfg.DataDir, filepath.Base(dir)))
		require.NoError(t, err)
		assert.Equal(t, dir, link)
	}
	assert.Equal(t, p.folder.servers, h.open(t).folder.servers)
	id := h.makeInstance(t, p)
	h.database(t, id)
}

func TestTheDataFolderIsPassableAndItsSecretsAreNot(t *testing.T) {
	h := newHost(t)
	require.NoError(t, os.Mkdir(h.cfg.DataDir, 0o700))
	p := h.open(t)
	id := h.makeInstance(t, p)
	want := map[string]os.FileMode{
		"":                                     0o700,
		"local":                                0o700,
		"servers/" + id:                        0o711,
		"servers/" + id + "/bootstrap":         0o700,
		"servers/" + id + "/server.json":       0o600,
		"servers/" + id + "/bootstrap/key.pem": 0o600,
	}
	if p.separateUsers {
		want[""] = 0o711
	}
	for path, mode := range want {
		info, err := os.Stat(filepath.Join(h.cfg.DataDir, path))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), path)
	}
}

func TestTwoProvidersThatOpenANewFolderAtOnceAgreeOnItsIdentity(t *testing.T) {
	h := newHost(t)
	drawn := make(chan identity, 8)
	for range cap(drawn) {
		go func() {
			f, err := openFolder(h.cfg, false)
			if assert.NoError(t, err) {
				drawn <- f.identity
			} else {
				drawn <- identity{}
			}
		}()
	}
	first := <-drawn
	for range cap(drawn) - 1 {
		assert.Equal(t, first, <-drawn)
	}
	files, err := os.ReadDir(filepath.Join(h.cfg.DataDir, "local"))
	require.NoError(t, err)
	assert.Len(t, files, 3, "drafts stay behind")
}
