package serve

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api"
)

func TestWithAKeystoneThereAreNoUsersOfOnesOwn(t *testing.T) {
	config := DefaultConfig()
	config.Serve.DataDir = t.TempDir()
	config.API.Identity.Provider = api.IdentityKeystone
	require.NoError(t, config.Validate())
	config, err := config.completed("127.0.0.1:1")
	require.NoError(t, err)
	assert.Empty(t, config.Gateway.IdentityURL, "clouds.yaml says it")

	require.NoError(t, makeUsers(config, slog.New(slog.DiscardHandler)))
	clouds := filepath.Join(config.Serve.DataDir, CloudsFile)
	require.ErrorContains(t, InitIdentity(config, clouds), "its users are made there")
	assert.NoFileExists(t, config.API.Identity.Builtin.UsersFile)
	assert.NoFileExists(t, clouds)
}

func TestTheReadyLinesSayWhereUsersLogIn(t *testing.T) {
	said := func(config Config) string {
		var out bytes.Buffer
		announce(&out, config)
		return out.String()
	}
	config := testConfig(t, "/data", "127.0.0.1:1")
	assert.Contains(t, said(config), "OS_CLIENT_CONFIG_FILE=/data/clouds.yaml OS_CLOUD=coffer")
	config.API.Identity.Provider, config.Gateway.IdentityURL = api.IdentityKeystone, "https://keystone.example.org/v3"
	assert.Contains(t, said(config), "Its users are those of Keystone at https://keystone.example.org/v3.")
	assert.Contains(t, said(config), "openstack register --url 'http://127.0.0.1:1/v1.0/%(project_id)s'")
	assert.NotContains(t, said(config), "clouds.yaml")
}
