package keystone

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	gopheropenstack "github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/applicationcredentials"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

// vouched calls with a user's token and a service's.
func (h *house) vouched(user, service string) (identity.Caller, error) {
	return h.Authenticate(h.t.Context(), identity.Credentials{Token: user, ServiceToken: service})
}

// expired is a token of demo's that Keystone takes as expired, which takes some seconds.
func (h *house) expired() string {
	h.t.Helper()
	user := h.client(gophercloud.AuthOptions{
		Username: "demo", Scope: &gophercloud.AuthScope{ProjectName: "demo", DomainID: "default"},
	})
	api, err := gopheropenstack.NewIdentityV3(user, gophercloud.EndpointOpts{})
	require.NoError(h.t, err)
	self, err := tokens.Get(h.t.Context(), api, user.Token()).ExtractUser()
	require.NoError(h.t, err)
	// No setting makes the tokens of a user shorter; an application credential takes its tokens with it.
	end := time.Now().Add(5 * time.Second)
	short, err := applicationcredentials.Create(h.t.Context(), api, self.ID, applicationcredentials.CreateOpts{
		Name: "coffer-" + rand.Text(), ExpiresAt: &end,
	}).Extract()
	require.NoError(h.t, err)
	h.t.Cleanup(func() {
		assert.NoError(h.t, applicationcredentials.Delete(context.WithoutCancel(h.t.Context()), api, self.ID, short.ID).ExtractErr())
	})
	token := h.client(gophercloud.AuthOptions{
		ApplicationCredentialID: short.ID, ApplicationCredentialSecret: short.Secret,
	}).Token()
	forgetful := DefaultConfig()
	forgetful.TokenRecheck = 0
	h.open(forgetful)
	require.Eventually(h.t, func() bool {
		_, err := h.authenticate(token)
		return errors.Is(err, identity.ErrUnauthenticated)
	}, time.Minute, 100*time.Millisecond)
	h.open(DefaultConfig())
	return token
}

func TestAServiceVouchesForAnExpiredToken(t *testing.T) {
	h := newRealHouse(t)
	user, service := h.expired(), h.login("trove", "service")
	caller, err := h.vouched(user, service)
	require.NoError(t, err)
	assert.Equal(t, "demo", caller.UserName)
	assert.ElementsMatch(t, []string{"member", "reader"}, caller.Roles)
	assert.True(t, caller.Expires.Before(time.Now()))

	asked := h.wire.questions.Load()
	for range 10 {
		_, err = h.vouched(user, service)
		require.NoError(t, err)
	}
	assert.Equal(t, asked, h.wire.questions.Load())
	_, err = h.authenticate(user)
	require.ErrorIs(t, err, identity.ErrUnauthenticated, "what is remembered for services is good for them alone")
	_, err = h.vouched(user, h.login("alice", "demo"))
	require.ErrorIs(t, err, identity.ErrUnauthenticated)
}

func TestAServiceMayCallForAUserWhoseTokenIsGood(t *testing.T) {
	everyKeystone(t, func(t *testing.T, h *house) {
		user, service := h.login("demo", "demo"), h.login("trove", "service")
		caller, err := h.vouched(user, service)
		require.NoError(t, err)
		assert.Equal(t, "demo", caller.UserName)
		h.revoke(user)
		h.clock.pass(h.cfg.TokenRecheck)
		_, err = h.vouched(user, service)
		require.ErrorIs(t, err, identity.ErrUnauthenticated, "a service vouches for expired tokens, not for revoked ones")
	})
}

func TestAServiceTokenThatIsNoGoodSpoilsTheCall(t *testing.T) {
	everyKeystone(t, func(t *testing.T, h *house) {
		user := h.login("demo", "demo")
		for name, service := range map[string]string{
			"no token": "x", "not even a header": "a\nb", "of no service": h.login("alice", "demo"), "without a project": h.login("admin", ""),
		} {
			_, err := h.vouched(user, service)
			require.ErrorIs(t, err, identity.ErrUnauthenticated, name)
		}
		_, err := h.vouched("x", h.login("trove", "service"))
		require.ErrorIs(t, err, identity.ErrUnauthenticated, "a service vouches for tokens, not for what is none")
		_, err = h.vouched("", h.login("trove", "service"))
		require.ErrorIs(t, err, identity.ErrUnauthenticated)
	})
}

func TestWhereTheRoleIsNotRequiredItIsNeededToVouchOnly(t *testing.T) {
	everyKeystone(t, func(t *testing.T, h *house) {
		cfg := DefaultConfig()
		cfg.ServiceTokenRolesRequired = false
		h.open(cfg)
		caller, err := h.vouched(h.login("demo", "demo"), h.login("alice", "demo"))
		require.NoError(t, err)
		assert.Equal(t, "demo", caller.UserName)
	})
}
