package api_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/api"
)

// newGuestWorld is an api whose users are those of another one's identity service, which is a Keystone to it.
func newGuestWorld(t *testing.T, password func(home *world) string) (guest, home *world, keystone *httptest.Server) {
	t.Helper()
	home = newWorld(t)
	keystone = httptest.NewServer(home.api.IdentityHandler())
	t.Cleanup(keystone.Close)
	clouds := filepath.Join(t.TempDir(), "clouds.yaml")
	require.NoError(t, os.WriteFile(clouds, fmt.Appendf(nil, `clouds:
  coffer:
    auth: {auth_url: %s/identity/v3, username: admin, password: %s, project_name: admin, user_domain_id: default, project_domain_id: default}
`, keystone.URL, password(home)), 0o600))
	guest = newWorld(t, func(config *api.Config) {
		config.Identity.Provider = api.IdentityKeystone
		config.Identity.Keystone.CloudsFile = clouds
	}).offering()
	return guest, home, keystone
}

func ofAdmin(home *world) string { return home.passwords["admin"] }

func TestTheUsersMayBeThoseOfAKeystone(t *testing.T) {
	t.Parallel()
	guest, home, keystone := newGuestWorld(t, ofAdmin)
	assert.Nil(t, guest.api.IdentityHandler())
	assert.Equal(t, keystone.URL+"/identity/v3", guest.api.IdentityURL())
	require.NoError(t, guest.api.Ready(t.Context()))

	list := &instancev1.ListInstancesRequest{ProjectId: home.project("demo")}
	_, err := guest.instances().ListInstances(home.as("demo"), list)
	require.NoError(t, err)
	_, err = guest.instances().ListInstances(home.as("demo", "x-service-token", "forged"), list)
	assert.True(t, errs.IsKind(err, errs.Unauthenticated), "%v", err)
	_, err = guest.instances().CreateInstance(home.as("reader"),
		&instancev1.CreateInstanceRequest{ProjectId: home.project("reader"), Instance: order("no")})
	require.ErrorContains(t, err, "Policy doesn't allow instance:create to be performed.")
	_, err = guest.instances().ListInstances(home.as("admin"), list)
	assert.True(t, errs.IsKind(err, errs.Forbidden), "%v", err)
}

func TestAnAPIThatKeystoneRefusesSaysSoAndRefusesNobody(t *testing.T) {
	t.Parallel()
	guest, home, _ := newGuestWorld(t, func(*world) string { return "wrong" })
	require.ErrorContains(t, guest.api.Ready(t.Context()), "identity: Keystone refuses the service user of clouds.yaml")
	_, err := guest.instances().ListInstances(home.as("demo"), &instancev1.ListInstancesRequest{ProjectId: home.project("demo")})
	assert.True(t, errs.IsKind(err, errs.Unavailable), "%v", err)
	assert.Contains(t, guest.log.String(), "level=ERROR")
}

func TestAnAPIStartsWithoutItsKeystone(t *testing.T) {
	t.Parallel()
	guest, home, keystone := newGuestWorld(t, ofAdmin)
	ctx := home.as("demo")
	keystone.Close()
	require.ErrorContains(t, guest.api.Ready(t.Context()), "identity: Keystone does not check tokens")
	_, err := guest.instances().ListInstances(ctx, &instancev1.ListInstancesRequest{ProjectId: home.project("demo")})
	assert.True(t, errs.IsKind(err, errs.Unavailable), "%v", err)
}

func TestOneIdentityServiceIsConfigured(t *testing.T) {
	t.Parallel()
	config := complete()
	config.Identity.Provider = api.IdentityKeystone
	config.Identity.Builtin.UsersFile = ""
	require.NoError(t, config.Validate())
	config.Identity.Keystone.Cloud, config.Listen.Identity = "", "127.0.0.1:8785"
	for _, fault := range []string{"identity.keystone.cloud: ", "listen.identity: must be empty"} {
		require.ErrorContains(t, config.Validate(), fault)
	}
	config.Identity.Provider = "ldap"
	require.ErrorContains(t, config.Validate(), `identity.provider: must be builtin or keystone, is "ldap"`)
}
