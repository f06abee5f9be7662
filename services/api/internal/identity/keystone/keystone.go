package keystone

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	gopheropenstack "github.com/gophercloud/gophercloud/v2/openstack"

	"github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity/tokencache"
)

// Keystone is the identity service. It runs nothing of its own between calls.
type Keystone struct {
	cfg    Config
	api    *gophercloud.ServiceClient
	now    func() time.Time
	health *health
	// callers remembers who good tokens stand for; vouched the same of tokens that may have expired, apart, since they
	// are good only beside a service's token.
	callers, vouched *tokencache.Cache
}

var _ identity.Authenticator = (*Keystone)(nil)

// Option changes how a Keystone is opened.
type Option func(*openstack.Config)

// WithTransport puts something around the transport of all calls to Keystone.
func WithTransport(around func(http.RoundTripper) http.RoundTripper) Option {
	return func(c *openstack.Config) { c.Around = around }
}

// Open reads clouds.yaml. It asks Keystone nothing yet, so that an api starts while Keystone is away. now is the clock,
// time.Now outside of tests.
func Open(cfg Config, now func() time.Time, logger *slog.Logger, options ...Option) (*Keystone, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("identity: keystone: %w", err)
	}
	client := cfg.client()
	for _, option := range options {
		option(&client)
	}
	provider, _, err := openstack.NewClient(client)
	if err != nil {
		return nil, fmt.Errorf("identity: keystone: %w", err)
	}
	// Where the service user logs in is where tokens are checked: the catalog may name an address for others.
	api, err := gopheropenstack.NewIdentityV3(provider, gophercloud.EndpointOpts{})
	if err != nil {
		return nil, fmt.Errorf("identity: keystone: %w", err)
	}
	return &Keystone{
		cfg: cfg, api: api, now: now, health: &health{now: now, logger: logger},
		callers: tokencache.New(cfg.TokenRecheck, now), vouched: tokencache.New(cfg.TokenRecheck, now),
	}, nil
}

// URL is where clients get their tokens unless it is said otherwise: where the service user does.
func (k *Keystone) URL() string { return strings.TrimSuffix(k.api.IdentityEndpoint, "/") }

// Authenticate tells who makes a call. Most calls are answered from memory. As in keystonemiddleware, a service's token
// that is no good spoils the call even when the user's is.
func (k *Keystone) Authenticate(ctx context.Context, shown identity.Credentials) (identity.Caller, error) {
	if shown.ServiceToken == "" {
		return k.caller(ctx, shown.Token)
	}
	service, err := k.caller(ctx, shown.ServiceToken)
	if err != nil {
		return identity.Caller{}, err
	}
	switch {
	case slices.ContainsFunc(k.cfg.ServiceTokenRoles, service.HasRole):
		return k.vouchedCaller(ctx, shown.Token)
	case k.cfg.ServiceTokenRolesRequired:
		return identity.Caller{}, identity.ErrUnauthenticated
	default:
		return k.caller(ctx, shown.Token)
	}
}

// caller is who a token stands for that has not expired.
func (k *Keystone) caller(ctx context.Context, token string) (identity.Caller, error) {
	if !mayBeToken(token) {
		return identity.Caller{}, identity.ErrUnauthenticated
	}
	return k.callers.Find(ctx, token, func(ctx context.Context) (identity.Caller, time.Time, error) {
		caller, err := k.check(ctx, token, false)
		if err == nil && !k.now().Before(caller.Expires) {
			// Keystone's clock is behind ours.
			err = identity.ErrUnauthenticated
		}
		return caller, caller.Expires, err
	})
}

// vouchedCaller is who a token stands for that may have expired: Keystone bounds how long ago.
func (k *Keystone) vouchedCaller(ctx context.Context, token string) (identity.Caller, error) {
	if !mayBeToken(token) {
		return identity.Caller{}, identity.ErrUnauthenticated
	}
	return k.vouched.Find(ctx, token, func(ctx context.Context) (identity.Caller, time.Time, error) {
		caller, err := k.check(ctx, token, true)
		return caller, k.now().Add(k.cfg.TokenRecheck), err
	})
}

// maxToken is longer than any token that Keystone makes.
const maxToken = 8192

// mayBeToken says whether a text can be a token at all: one that cannot stand in a header is none.
func mayBeToken(text string) bool {
	return text != "" && len(text) <= maxToken && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}
