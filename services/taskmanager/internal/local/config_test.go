package local

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheDefaultsAreValidButForTheFolder(t *testing.T) {
	cfg := DefaultConfig()
	require.ErrorContains(t, cfg.Validate(), "data_dir")
	cfg.DataDir = "/srv/coffer"
	assert.NoError(t, cfg.Validate())
}

func TestEveryFaultOfAConfigurationIsTold(t *testing.T) {
	cfg := Config{
		DataDir: "coffer-data", GuestAgent: "bin/agent", AddressRange: "10.0.0.0/20", UIDBase: 1, EngineRoots: []string{"/srv/root", "roots/a", "/"},
		Flavors: []Flavor{{ID: "one", RAM: 1}, {ID: "2", Name: "a", RAM: 512, VCPUs: 1}, {ID: "2", Name: "a", RAM: 512, VCPUs: 1}},
	}
	err := cfg.Validate()
	for _, part := range []string{
		"data_dir", "guestagent", "engine_roots[1]", "engine_roots[2]", "address_range", "uid_base", "stop_limit", "template_limit", "region",
		"flavors[0]: id", "flavors[0]: name", "flavors[0]: ram", "flavors[0]: vcpus", "flavors[2]: id", "flavors[2]: name",
	} {
		require.ErrorContains(t, err, part)
	}
	for _, bad := range []string{"127.0.16.0/20", "127.1.0.0/16", "127.1.1.0/20", "x"} {
		require.Error(t, checkRange(bad), bad)
	}
}
