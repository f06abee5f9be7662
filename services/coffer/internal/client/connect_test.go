package client

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheCloudIsTheOneThatWasMeant(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(t.TempDir())
	file := func(name, cloud, url string) string {
		path := filepath.Join(folder, name)
		text := "clouds:\n  " + cloud + ": {auth: {auth_url: \"" + url + "\", username: u, password: p, project_name: q, user_domain_id: d}}\n"
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	own := file("own.yaml", "coffer", "http://own/v3")
	elsewhere := file("elsewhere.yaml", "coffer", "http://elsewhere/v3")
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(folder, "config"))
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "config", "openstack"), 0o700))
	require.NoError(t, os.Rename(file("mine.yaml", "mine", "http://mine/v3"),
		filepath.Join(folder, "config", "openstack", "clouds.yaml")))

	for name, c := range map[string]struct {
		login       Login
		environment map[string]string
		want        string
	}{
		"the one on this machine":         {Login{OwnClouds: own}, nil, "http://own/v3"},
		"by name on this machine":         {Login{Cloud: "coffer", OwnClouds: own}, nil, "http://own/v3"},
		"the user's own beside it":        {Login{Cloud: "mine", OwnClouds: own}, nil, "http://mine/v3"},
		"the user's own by OS_CLOUD":      {Login{OwnClouds: own}, map[string]string{"OS_CLOUD": "mine"}, "http://mine/v3"},
		"a flag over OS_CLOUD":            {Login{Cloud: "coffer", OwnClouds: own}, map[string]string{"OS_CLOUD": "mine"}, "http://own/v3"},
		"a file named by the environment": {Login{OwnClouds: own}, map[string]string{"OS_CLIENT_CONFIG_FILE": elsewhere}, "http://elsewhere/v3"},
		"variables": {
			Login{OwnClouds: own},
			map[string]string{"OS_AUTH_URL": "http://vars/v3", "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_NAME": "q"},
			"http://vars/v3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{"OS_CLOUD", "OS_AUTH_URL", "OS_CLIENT_CONFIG_FILE"} {
				t.Setenv(variable, "")
			}
			for variable, value := range c.environment {
				t.Setenv(variable, value)
			}
			options, err := c.login.parseOptions()
			require.NoError(t, err)
			auth, _, _, err := clouds.Parse(options...)
			require.NoError(t, err)
			assert.Equal(t, c.want, auth.IdentityEndpoint)
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Setenv("OS_CLOUD", "")
		_, err := Login{OwnClouds: filepath.Join(folder, "nothing.yaml")}.parseOptions()
		assert.ErrorContains(t, err, "which cloud?")
	})
}

func TestADomainThatIsNotNamedIsTheDefaultOne(t *testing.T) {
	for name, c := range map[string]struct{ given, want map[string]string }{
		"neither": {
			map[string]string{"username": "u", "project_name": "p"},
			map[string]string{"username": "u", "project_name": "p", "user_domain_id": "default", "project_domain_id": "default"},
		},
		"by id alone": {map[string]string{"user_id": "1", "project_id": "2"}, map[string]string{"user_id": "1", "project_id": "2"}},
		"named": {
			map[string]string{"username": "u", "user_domain_name": "D"},
			map[string]string{"username": "u", "user_domain_name": "D"},
		},
		"one for both": {
			map[string]string{"username": "u", "domain_name": "D"},
			map[string]string{"username": "u", "domain_name": "D"},
		},
	} {
		defaultDomain(c.given)
		assert.Equal(t, c.want, c.given, name)
	}
}
