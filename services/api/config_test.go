package api_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api"
)

func complete() api.Config {
	config := api.DefaultConfig()
	config.PublicURL = publicURL
	config.State = api.StateConfig{Driver: "sqlite", DSN: "/tmp/state.db"}
	config.MasterKeyFile, config.CADir, config.Identity.Builtin.UsersFile = "master.key", "ca", "users.yaml"
	return config
}

func TestTheDefaultsNeedOnlyPlaces(t *testing.T) {
	t.Parallel()
	require.NoError(t, complete().Validate())
}

func TestAllFaultsOfAConfigurationAreNamedAtOnce(t *testing.T) {
	t.Parallel()
	config := complete()
	config.PublicURL += "/"
	config.State.Driver = "oracle"
	config.MasterKeyFile = ""
	config.InstancesPageSize = 0
	config.Quota.RAM = -2
	config.RateLimits.Get = -1
	config.Lease = 0
	config.Listen.PublicSecurity = "none"
	config.Listen.Public = "0.0.0.0:8780"
	config.Listen.Identity = "nowhere"
	err := config.Validate()
	for _, key := range []string{
		"public_url: ", "state.driver: ", "master_key_file: ", "instances_page_size: ", "quota.ram: ", "rate_limits.get: ",
		"lease: ", "listen.public_security: ", "listen.identity: ",
	} {
		assert.ErrorContains(t, err, key)
	}
}

func TestFacesInTheClearAreForLoopbackUnlessSaidOtherwise(t *testing.T) {
	t.Parallel()
	config := complete()
	config.Listen.PublicSecurity = api.SecurityNone
	for address, fine := range map[string]bool{
		"127.0.0.1:8780": true, "[::1]:8780": true, "localhost:8780": true, "": true,
		"0.0.0.0:8780": false, ":8780": false, "192.0.2.1:8780": false,
	} {
		config.Listen.Public, config.Listen.Insecure = address, false
		assert.Equal(t, fine, config.Validate() == nil, address)
		config.Listen.Insecure = true
		require.NoError(t, config.Validate(), address)
	}
}
