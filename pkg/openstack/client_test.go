package openstack

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// house is a Keystone, and a clouds.yaml with the user demo of its project demo.
type house struct {
	*testing.T
	url  string
	file string
	// logins counts what was sent to log in; away lets no call through.
	logins atomic.Int32
	away   atomic.Bool
}

// everyKeystone runs a test against a Keystone of a few lines and, where there is one, against a real one.
func everyKeystone(t *testing.T, test func(h *house)) {
	t.Run("of the test", func(t *testing.T) { test(newHouse(t, newKeystone(t).url)) })
	t.Run("real", func(t *testing.T) {
		if os.Getenv("COFFER_TEST_OPENSTACK") == "" {
			t.Skip("needs the OpenStack of deploy/openstack: make test-openstack")
		}
		test(newHouse(t, "http://127.0.0.1:5000/v3"))
	})
}

func newHouse(t *testing.T, url string) *house {
	h := &house{T: t, url: url, file: filepath.Join(t.TempDir(), "clouds.yaml")}
	h.write("lab")
	return h
}

func (h *house) write(password string) {
	h.Helper()
	require.NoError(h, os.WriteFile(h.file, fmt.Appendf(nil, `clouds:
  demo:
    auth: {auth_url: %s, username: demo, password: %s, project_name: demo, user_domain_id: default, project_domain_id: default}
    region_name: RegionOne
    interface: internal
`, h.url, password), 0o600))
}

func (h *house) config() Config {
	return Config{Cloud: "demo", CloudsFile: h.file, Around: func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/auth/tokens") {
				h.logins.Add(1)
			}
			if h.away.Load() {
				return nil, fmt.Errorf("dial %s: connection refused", r.URL.Host)
			}
			return next.RoundTrip(r)
		})
	}}
}

// client logs in.
func (h *house) client() *gophercloud.ProviderClient {
	h.Helper()
	provider, _, err := Client(h.Context(), h.config())
	require.NoError(h, err)
	return provider
}

// revoke ends the client's token, as an operator or a new password does.
func (h *house) revoke(provider *gophercloud.ProviderClient) {
	h.Helper()
	require.NoError(h, tokens.Revoke(h.Context(), h.identity(provider), provider.Token()).Err)
}

func (h *house) identity(provider *gophercloud.ProviderClient) *gophercloud.ServiceClient {
	h.Helper()
	identity, err := openstack.NewIdentityV3(provider, gophercloud.EndpointOpts{})
	require.NoError(h, err)
	return identity
}

// call asks for something that needs a good token.
func (h *house) call(ctx context.Context, provider *gophercloud.ProviderClient) error {
	response, err := provider.Request(ctx, http.MethodGet, h.url+"/auth/catalog", &gophercloud.RequestOpts{})
	if err == nil {
		_ = response.Body.Close()
	}
	return err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAClientKnowsTheCatalog(t *testing.T) {
	everyKeystone(t, func(h *house) {
		h.Setenv("OS_REGION_NAME", "elsewhere")
		provider, endpoint, err := Client(h.Context(), h.config())
		require.NoError(h, err)
		assert.Equal(h, "RegionOne", endpoint.Region)
		assert.Equal(h, gophercloud.AvailabilityInternal, endpoint.Availability)

		identity, err := openstack.NewIdentityV3(provider, endpoint)
		require.NoError(h, err)
		assert.Equal(h, h.url+"/", identity.Endpoint)
		assert.Contains(h, provider.UserAgent.Join(), "coffer/")
	})
}

func TestTheFirstCallLogsInWhereNothingDidBefore(t *testing.T) {
	everyKeystone(t, func(h *house) {
		provider, endpoint, err := NewClient(h.config())
		require.NoError(h, err)
		assert.Zero(h, h.logins.Load())
		_, err = openstack.NewIdentityV3(provider, endpoint)
		require.ErrorContains(h, err, "not logged in yet")

		h.callAtOnce(provider)
		assert.EqualValues(h, 1, h.logins.Load())
		_, err = openstack.NewIdentityV3(provider, endpoint)
		assert.NoError(h, err)
	})
}

func TestOneLoginRenewsTheTokenOfAll(t *testing.T) {
	everyKeystone(t, func(h *house) {
		provider := h.client()
		h.revoke(provider)
		h.logins.Store(0)
		h.callAtOnce(provider)
		assert.EqualValues(h, 1, h.logins.Load())
	})
}

// callAtOnce has many calls find the same token useless.
func (h *house) callAtOnce(provider *gophercloud.ProviderClient) {
	h.Helper()
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() { assert.NoError(h, h.call(h.Context(), provider)) })
	}
	calls.Wait()
}

func TestARenewalOutlivesTheCallThatBeganIt(t *testing.T) {
	everyKeystone(t, func(h *house) {
		given, cancel := context.WithCancel(h.Context())
		provider, _, err := NewClient(h.config())
		require.NoError(h, err)
		cancel()
		require.NoError(h, provider.Reauthenticate(given, ""))
		require.NoError(h, h.call(h.Context(), provider))
		assert.EqualValues(h, 1, h.logins.Load())
	})
}

func TestANewPasswordIsReadFromTheFile(t *testing.T) {
	everyKeystone(t, func(h *house) {
		provider := h.client()
		h.write("wrong")
		h.revoke(provider)
		h.logins.Store(0)
		for range 3 {
			err := h.call(h.Context(), provider)
			require.ErrorContains(h, err, "Unable to re-authenticate")
			assert.True(h, IsRefused(err))
			assert.NotContains(h, err.Error(), "wrong")
		}
		assert.EqualValues(h, 1, h.logins.Load(), "the same password is not tried again at once")

		h.write("lab")
		require.NoError(h, h.call(h.Context(), provider))
	})
}

func TestATokenThatIsRevokedAsItIsIssuedIsReplaced(t *testing.T) {
	k := newKeystone(t)
	h := newHouse(t, k.url)
	k.stillborn = 1
	require.NoError(h, h.call(h.Context(), h.client()))
	assert.EqualValues(h, 2, h.logins.Load())
}

func TestARefusedPasswordIsTriedAgainAfterAPause(t *testing.T) {
	everyKeystone(t, func(h *house) {
		h.write("wrong")
		provider, _, err := NewClient(h.config())
		require.NoError(h, err)
		now := time.Now()
		l := &login{config: h.config(), provider: provider, now: func() time.Time { return now }}
		for range 2 {
			require.Error(h, l.again(h.Context()))
			require.Error(h, l.again(h.Context()))
			now = now.Add(refusalPause)
		}
		assert.EqualValues(h, 2, h.logins.Load())
	})
}

func TestAnOutageIsNoRefusal(t *testing.T) {
	everyKeystone(t, func(h *house) {
		provider, _, err := NewClient(h.config())
		require.NoError(h, err)
		now := time.Now()
		l := &login{config: h.config(), provider: provider, now: func() time.Time { return now }}
		h.away.Store(true)
		err = l.again(h.Context())
		require.ErrorContains(h, err, `log in to the cloud "demo" at `+h.url)
		assert.False(h, IsRefused(err))
		h.away.Store(false)
		require.Error(h, l.again(h.Context()))
		assert.EqualValues(h, 1, h.logins.Load())
		now = now.Add(outagePause)
		require.NoError(h, l.again(h.Context()))
		assert.NoError(h, h.call(h.Context(), provider))
	})
}

func TestAnEntryThatIsNoCloudIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clouds.yaml")
	require.NoError(t, os.WriteFile(file, []byte("clouds:\n  bare: {region_name: x}\n  odd: {auth: {auth_url: keystone}}\n"), 0o600))
	for cloud, fault := range map[string]string{
		"":       "cloud: must name an entry",
		"absent": `cloud "absent"`,
		"bare":   `cloud "bare" of clouds.yaml: it has no auth`,
		"odd":    `auth_url must be an http or https URL, is "keystone"`,
	} {
		_, _, err := NewClient(Config{Cloud: cloud, CloudsFile: file})
		require.ErrorContains(t, err, fault)
	}
	_, _, err := Client(t.Context(), Config{Cloud: "x", CloudsFile: file + ".absent"})
	assert.ErrorContains(t, err, "not found")
}
