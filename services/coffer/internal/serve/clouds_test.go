package serve

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func testConfig(t *testing.T, dir, listening string) Config {
	t.Helper()
	config := DefaultConfig()
	config.Serve.DataDir = dir
	config, err := config.completed(listening)
	require.NoError(t, err)
	return config
}

func TestPasswordsStayWhenTheAddressChanges(t *testing.T) {
	dir := t.TempDir()
	read := func(name string) Cloud {
		text, err := os.ReadFile(filepath.Join(dir, CloudsFile))
		require.NoError(t, err)
		cloud, err := ReadCloud(text, name)
		require.NoError(t, err)
		return cloud
	}
	known, err := writeClouds(testConfig(t, dir, "127.0.0.1:1"))
	require.NoError(t, err)
	assert.True(t, known)
	first := read(MemberCloud)
	assert.Equal(t, "http://127.0.0.1:1/identity/v3", first.Auth.AuthURL)
	assert.NotEqual(t, first.Auth.Password, read(AdminCloud).Auth.Password)

	_, err = writeClouds(testConfig(t, dir, "127.0.0.1:2"))
	require.NoError(t, err)
	second := read(MemberCloud)
	assert.Equal(t, "http://127.0.0.1:2/identity/v3", second.Auth.AuthURL)
	assert.Equal(t, first.Auth.Password, second.Auth.Password)
}

func TestLostPasswordsAreToldNotReplaced(t *testing.T) {
	dir := t.TempDir()
	config := testConfig(t, dir, "127.0.0.1:1")
	_, err := writeClouds(config)
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, CloudsFile)))

	known, err := writeClouds(config)
	require.NoError(t, err)
	assert.False(t, known)
	assert.NoFileExists(t, filepath.Join(dir, CloudsFile))
}

func TestTheCloudsFileIsItsOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	_, err := writeClouds(testConfig(t, dir, "127.0.0.1:1"))
	require.NoError(t, err)
	info, err := os.Stat(filepath.Join(dir, CloudsFile))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}
