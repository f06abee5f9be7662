package e2e_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/coffer-dbaas/coffer/pkg/nettest"
)

// realKeystone is that of the test bed, whose users all have the same password.
const (
	realKeystone = "http://127.0.0.1:5000/v3"
	bedPassword  = "lab"
)

// bed is a real OpenStack with a control plane that is registered there.
type bed struct {
	*serve
	// clouds is a clouds.yaml with the bed's users, each under their name.
	clouds string
	// user is the service user, whom nobody else has.
	user string
}

// newKeystoneBed registers an address, and serves there for the users of a real Keystone.
func newKeystoneBed(t *testing.T) *bed {
	t.Helper()
	needOpenStack(t)
	b := &bed{clouds: writeBedClouds(t), user: "coffer-e2e-" + strings.ToLower(rand.Text())}
	listen, login := nettest.FreeAddress(t), filepath.Join(t.TempDir(), "service.yaml")
	register := []string{
		"register", "--url", "http://" + listen + "/v1.0/%(project_id)s", "--user", b.user, "--clouds", login,
	}
	made := b.asAdmin(t, register...)
	t.Cleanup(func() { b.asAdmin(t, "unregister", "--user", b.user) })
	for _, what := range []string{"user " + b.user, "service trove (database)", "endpoint public of RegionOne"} {
		assert.Contains(t, made, "made     "+what)
	}
	assert.NotContains(t, b.asAdmin(t, register[:len(register)-2]...), "made")

	b.serve = launchServe(t, newDataDir(t), withArgs("--listen", listen), withEnv(
		"COFFER_API_IDENTITY_PROVIDER=keystone", "COFFER_API_IDENTITY_KEYSTONE_CLOUDS_FILE="+login,
		"COFFER_API_IDENTITY_KEYSTONE_TOKEN_RECHECK=1s",
	))
	b.listen = listen
	b.awaitReady()
	return b
}

func writeBedClouds(t *testing.T) string {
	t.Helper()
	clouds := map[string]any{}
	for user, project := range map[string]string{"admin": "admin", "demo": "demo", "alice": "demo"} {
		clouds[user] = map[string]any{"region_name": "RegionOne", "auth": map[string]any{
			"auth_url": realKeystone, "username": user, "password": bedPassword, "project_name": project,
			"user_domain_name": "Default", "project_domain_name": "Default",
		}}
	}
	text, err := yaml.Marshal(map[string]any{"clouds": clouds})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "clouds.yaml")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// asAdmin runs a verb of `coffer openstack`.
func (b *bed) asAdmin(t *testing.T, arguments ...string) string {
	t.Helper()
	command := exec.Command(filepath.Join(programs, "coffer"), append([]string{"--os-cloud", "admin", "openstack"}, arguments...)...)
	command.Env = append(os.Environ(), "OS_CLIENT_CONFIG_FILE="+b.clouds)
	said, err := command.CombinedOutput()
	require.NoError(t, err, string(said))
	return string(said)
}

// openstack runs the stock client as a user of the bed.
func (b *bed) openstack(user string, arguments ...string) (string, error) {
	command := exec.CommandContext(b.t.Context(), "openstack", append([]string{"--os-cloud", user}, arguments...)...)
	command.Env = append(os.Environ(), "OS_CLIENT_CONFIG_FILE="+b.clouds, "PYTHONWARNINGS=ignore")
	said, err := command.CombinedOutput()
	return string(said), err
}

func (b *bed) mustOpenstack(user string, arguments ...string) string {
	b.t.Helper()
	said, err := b.openstack(user, arguments...)
	require.NoError(b.t, err, said)
	return said
}

// get asks the REST door without a token.
func (b *bed) get(path string) answer {
	b.t.Helper()
	return (&client{t: b.t, http: &http.Client{}, patience: patience}).call(http.MethodGet, "http://"+b.listen+path, nil)
}

func TestTheStockClientWorksWithARealKeystone(t *testing.T) {
	b := newKeystoneBed(t)
	b.awaitLine("Its users are those of Keystone at " + realKeystone)
	for _, name := range []string{"clouds.yaml", "users.yaml"} {
		assert.NoFileExists(t, filepath.Join(b.dataDir, name))
	}
	assert.Equal(t, http.StatusNotFound, b.get("/identity/v3").code, "there is no other Keystone")
	assert.Equal(t, http.StatusOK, b.get("/healthz").code)
	stranger := b.get("/v1.0/p/instances")
	assert.Equal(t, http.StatusUnauthorized, stranger.code)
	assert.Equal(t, `Keystone uri="`+realKeystone+`"`, stranger.header.Get("Www-Authenticate"))

	assert.Contains(t, b.mustOpenstack("demo", "database", "flavor", "list"), "db.tiny")
	assert.Contains(t, b.mustOpenstack("demo", "datastore", "list"), "mariadb")
	var made struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(b.mustOpenstack("demo", "database", "instance", "create", "first",
		"--flavor", "1", "--size", "1", "--databases", "shop", "--users", "keeper:"+userPassword, "-f", "json")), &made))
	member := signIn(t, b.clouds, "demo")
	member.awaitOperating(made.ID, "HEALTHY")
	for _, user := range []string{"demo", "alice"} {
		assert.Contains(t, b.mustOpenstack(user, "database", "instance", "list"), made.ID)
	}
	assert.NotContains(t, b.mustOpenstack("admin", "database", "instance", "list"), made.ID)
	assert.Contains(t, b.mustOpenstack("admin", "database", "instance", "list", "--all-projects"), made.ID)
	said, err := b.openstack("alice", "database", "instance", "delete", made.ID)
	require.Error(t, err)
	assert.Contains(t, said, "Policy doesn't allow instance:delete to be performed.", "a reader only reads")
	b.mustOpenstack("demo", "database", "instance", "delete", made.ID)

	leaver := signIn(t, b.clouds, "demo")
	require.Equal(t, http.StatusOK, leaver.call(http.MethodGet, "/instances", nil).code)
	b.mustOpenstack("admin", "token", "revoke", leaver.token)
	within(t, "a revoked token to be refused", func() bool {
		return leaver.call(http.MethodGet, "/instances", nil).code == http.StatusUnauthorized
	})
	assert.Equal(t, http.StatusOK, member.call(http.MethodGet, "/instances", nil).code)
}

func TestAServiceThatKeystoneRefusesRefusesNobody(t *testing.T) {
	b := newKeystoneBed(t)
	member := signIn(t, b.clouds, "demo")
	require.Equal(t, http.StatusOK, member.call(http.MethodGet, "/instances", nil).code)
	b.asAdmin(t, "unregister", "--user", b.user)
	within(t, "the service to say what is wrong", func() bool {
		// Remembered or not, the token is never called bad.
		code := member.call(http.MethodGet, "/instances", nil).code
		require.NotEqual(t, http.StatusUnauthorized, code)
		health := b.get("/healthz")
		return code == http.StatusServiceUnavailable && health.code == http.StatusServiceUnavailable &&
			strings.Contains(string(health.body), "identity: Keystone refuses the service user of clouds.yaml")
	})
}
