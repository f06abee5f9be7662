package openstack

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
)

// Config names a cloud and where its settings stand.
type Config struct {
	// Cloud is the entry of clouds.yaml.
	Cloud string
	// CloudsFile is the clouds.yaml, with a secure.yaml beside it where there is one. Empty means where OpenStack's own
	// clients look: OS_CLIENT_CONFIG_FILE, the working folder, ~/.config/openstack, /etc/openstack.
	CloudsFile string
	// Around, where set, is put around the transport of all calls, logins included: to name them, to count them.
	Around func(http.RoundTripper) http.RoundTripper
}

// Validate joins all that is wrong, each beginning with the setting's name and a colon. It reads no file.
func (c Config) Validate() error {
	if c.Cloud == "" {
		return errors.New("cloud: must name an entry of clouds.yaml")
	}
	return nil
}

// cloud is an entry of clouds.yaml.
type cloud struct {
	auth     gophercloud.AuthOptions
	endpoint gophercloud.EndpointOpts
	tls      *tls.Config
}

// read reads the entry as it is now.
func (c Config) read() (read cloud, err error) {
	// The parser panics on an entry without a section auth.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("read the cloud %q of clouds.yaml: it has no auth", c.Cloud)
		}
	}()
	if err := c.Validate(); err != nil {
		return cloud{}, err
	}
	options := []clouds.ParseOption{
		clouds.WithCloudName(c.Cloud),
		// The file alone counts: what the environment says is meant for a person at a shell.
		clouds.WithRegion(""), clouds.WithEndpointType(""),
	}
	if c.CloudsFile != "" {
		options = append(options, clouds.WithLocations(c.CloudsFile))
	}
	read.auth, read.endpoint, read.tls, err = clouds.Parse(options...)
	if err != nil {
		return cloud{}, fmt.Errorf("read the cloud %q of clouds.yaml: %w", c.Cloud, err)
	}
	at, err := url.Parse(read.auth.IdentityEndpoint)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" {
		return cloud{}, fmt.Errorf("read the cloud %q of clouds.yaml: auth_url must be an http or https URL, is %q",
			c.Cloud, read.auth.IdentityEndpoint)
	}
	return read, nil
}
