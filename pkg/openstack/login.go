package openstack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"

	"github.com/coffer-dbaas/coffer/pkg/pause"
)

const (
	// loginLimit bounds one login.
	loginLimit = 30 * time.Second
	// outagePause is for how long a login is not tried again after Keystone could not be asked.
	outagePause = time.Second
	// refusalPause is for how long the same credentials are not tried again after Keystone refused them: each try counts
	// towards the lock of an account.
	refusalPause = 30 * time.Second
)

// IsRefused says whether an error of Client, or of a call of its client, means that Keystone refused the credentials of
// clouds.yaml.
func IsRefused(err error) bool {
	var renewal *gophercloud.ErrUnableToReauthenticate
	if errors.As(err, &renewal) {
		err = renewal.ErrReauth
	}
	var failed *loginError
	return errors.As(err, &failed) && failed.refused()
}

// loginError is a login that failed.
type loginError struct {
	cloud, at string
	cause     error
}

func (e *loginError) Error() string {
	return fmt.Sprintf("log in to the cloud %q at %s: %s", e.cloud, e.at, e.cause)
}

func (e *loginError) Unwrap() error { return e.cause }

func (e *loginError) refused() bool {
	return gophercloud.ResponseCodeIs(e.cause, http.StatusUnauthorized)
}

// login gets the tokens of a client. gophercloud sees to it that only one call of again runs at a time.
type login struct {
	config   Config
	provider *gophercloud.ProviderClient
	now      func() time.Time
	// catalog is that of the last login.
	catalog atomic.Pointer[gophercloud.EndpointLocator]

	// failure is how the last login failed, nil when it did not.
	failure error
	// failed are the credentials with which it failed, and pause is until when they are not tried again.
	failed gophercloud.AuthOptions
	pause  time.Time
}

// again gets a token. Many may be waiting for it, so it goes on when the call that started it is given up.
func (l *login) again(ctx context.Context) error {
	cloud, err := l.config.read()
	if err != nil {
		return err
	}
	if l.failure != nil && l.now().Before(l.pause) && reflect.DeepEqual(cloud.auth, l.failed) {
		return l.failure
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loginLimit)
	defer cancel()
	fresh, err := l.first(ctx, cloud)
	if err != nil {
		failure := &loginError{cloud: l.config.Cloud, at: cloud.auth.IdentityEndpoint, cause: err}
		wait := outagePause
		if failure.refused() {
			wait = refusalPause
		}
		l.failure, l.failed, l.pause = failure, cloud.auth, l.now().Add(wait)
		return failure
	}
	l.failure = nil
	l.catalog.Store(&fresh.EndpointLocator)
	l.provider.CopyTokenFrom(fresh)
	return nil
}

// first logs in with a client of its own, whose refusal starts no renewal.
func (l *login) first(ctx context.Context, cloud cloud) (*gophercloud.ProviderClient, error) {
	fresh, err := openstack.NewClient(cloud.auth.IdentityEndpoint)
	if err != nil {
		return nil, err
	}
	fresh.HTTPClient = l.provider.HTTPClient
	fresh.UserAgent = userAgent()
	if err := openstack.Authenticate(ctx, fresh, cloud.auth); err != nil {
		return nil, err
	}
	if stillborn(ctx, fresh) && pause.For(ctx, revocationGrain) {
		return fresh, openstack.Authenticate(ctx, fresh, cloud.auth)
	}
	return fresh, nil
}

// revocationGrain is how exact Keystone's revocations are: those of a second also end what is issued later in that second.
const revocationGrain = time.Second

// stillborn says whether a new token is revoked already, as happens to the one that is wanted because all tokens of the
// user were just revoked: by a new password, say.
func stillborn(ctx context.Context, fresh *gophercloud.ProviderClient) bool {
	identity, err := openstack.NewIdentityV3(fresh, gophercloud.EndpointOpts{})
	if err != nil {
		return false
	}
	_, err = identity.Head(ctx, identity.ServiceURL("auth", "tokens"), &gophercloud.RequestOpts{ //nolint:bodyclose // gophercloud does
		MoreHeaders: map[string]string{"X-Subject-Token": fresh.Token()},
	})
	return gophercloud.ResponseCodeIs(err, http.StatusUnauthorized)
}

// locate finds a service in the catalog of the last login.
func (l *login) locate(options gophercloud.EndpointOpts) (string, error) {
	locate := l.catalog.Load()
	if locate == nil {
		return "", fmt.Errorf("find the %s service of the cloud %q: not logged in yet", options.Type, l.config.Cloud)
	}
	return (*locate)(options)
}
