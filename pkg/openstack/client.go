package openstack

import (
	"context"
	"net/http"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
)

// noToken is sent where there is no token yet: it is refused like any other that is no good, and unlike an empty one it
// lets gophercloud see that somebody else has logged in meanwhile.
const noToken = "none"

// Client logs in as an entry of clouds.yaml says. The client may be used by many at once. When its token has ended or
// was revoked, the first call that is refused reads clouds.yaml again and logs in, and the others wait for it; a login
// that failed is not repeated by every call.
//
// The endpoint options carry the entry's region and interface.
func Client(ctx context.Context, config Config) (*gophercloud.ProviderClient, gophercloud.EndpointOpts, error) {
	provider, endpoint, err := NewClient(config)
	if err != nil {
		return nil, gophercloud.EndpointOpts{}, err
	}
	if err := provider.Reauthenticate(ctx, ""); err != nil {
		return nil, gophercloud.EndpointOpts{}, err
	}
	return provider, endpoint, nil
}

// NewClient is Client without the login: the first call makes it. Until then the catalog is empty.
func NewClient(config Config) (*gophercloud.ProviderClient, gophercloud.EndpointOpts, error) {
	cloud, err := config.read()
	if err != nil {
		return nil, gophercloud.EndpointOpts{}, err
	}
	provider, err := openstack.NewClient(cloud.auth.IdentityEndpoint)
	if err != nil {
		return nil, gophercloud.EndpointOpts{}, err
	}
	provider.HTTPClient = http.Client{Transport: transport(cloud.tls, config.Around)}
	provider.UserAgent = userAgent()
	provider.SetToken(noToken)
	l := &login{config: config, provider: provider, now: time.Now}
	provider.ReauthFunc = l.again
	provider.EndpointLocator = l.locate
	return provider, cloud.endpoint, nil
}
