package serve

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheDefaultsAreValid(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
}

func TestListenersThatOthersReachNeedTLSOrConsent(t *testing.T) {
	config := DefaultConfig()
	config.Serve.Listen = "0.0.0.0:8779"
	require.ErrorContains(t, config.Validate(), "serve.listen: 0.0.0.0:8779 is no loopback address")
	config.Serve.Insecure = true
	require.NoError(t, config.Validate())

	config = DefaultConfig()
	config.Serve.Listen, config.Serve.CertificateFile = "0.0.0.0:8779", "cert.pem"
	require.ErrorContains(t, config.Validate(), "serve.certificate_file: goes together with key_file")
	config.Serve.KeyFile = "key.pem"
	require.NoError(t, config.Validate())
}

func TestFaultsOfEverySectionAreToldAtOnceUnderTheirKeys(t *testing.T) {
	config := DefaultConfig()
	config.Serve.Listen = "nowhere"
	config.API.Quota.Instances = -2
	config.Taskmanager.Local.UIDBase = 1
	config.Log.Level = "loud"
	err := config.Validate()
	for _, key := range []string{"serve.listen: ", "api.quota.instances: ", "taskmanager.local.uid_base: ", "log.level: "} {
		assert.ErrorContains(t, err, key)
	}
}

func TestTheDataFolderAndTheAddressDecideTheRest(t *testing.T) {
	config := testConfig(t, "/data", "127.0.0.1:7")
	assert.Equal(t, "/data/coffer.db", config.API.State.DSN)
	assert.Equal(t, "http://127.0.0.1:7", config.API.PublicURL)
	assert.Equal(t, "http://127.0.0.1:7/identity/v3", config.Gateway.IdentityURL)
	assert.Equal(t, "/data", config.Taskmanager.Local.DataDir)
	assert.True(t, config.Taskmanager.StopServers)
}

func TestWhatIsConfiguredStays(t *testing.T) {
	config := DefaultConfig()
	config.Serve.PublicURL = "https://db.example.org"
	config.API.State.Driver, config.API.State.DSN = "postgres", "postgres://x"
	config.Serve.KeepServers = true
	config, err := config.completed("127.0.0.1:7")
	require.NoError(t, err)
	assert.Equal(t, "https://db.example.org", config.API.PublicURL)
	assert.Equal(t, "postgres://x", config.API.State.DSN)
	assert.False(t, config.Taskmanager.StopServers)
}
