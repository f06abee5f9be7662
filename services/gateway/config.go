package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// Config is what the gateway is told. Its zero value serves.
type Config struct {
	// PublicURL is under which URL clients reach the gateway, as links say it; empty: as each request came in.
	PublicURL string `koanf:"public_url"`
	// IdentityURL is Keystone's, named in the WWW-Authenticate header of a 401.
	IdentityURL string `koanf:"identity_url"`
	// RateLimits are requests per minute and project, by HTTP method; a method without one is not limited. Trove's own
	// default is 200 for each of GET, POST, PUT and DELETE; ours is none.
	RateLimits map[string]int `koanf:"rate_limits"`
}

var limitable = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// Validate tells all that is wrong with the configuration.
func (c Config) Validate() error {
	var faults []error
	for name, value := range map[string]string{"public_url": c.PublicURL, "identity_url": c.IdentityURL} {
		if value == "" {
			continue
		}
		if parsed, err := url.Parse(value); err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
			faults = append(faults, fmt.Errorf("%s: %q is not an http or https URL", name, value))
		}
	}
	for method, perMinute := range c.RateLimits {
		if !slices.Contains(limitable, method) {
			faults = append(faults, fmt.Errorf("rate_limits: %q is not one of %v", method, limitable))
		}
		if perMinute < 0 {
			faults = append(faults, fmt.Errorf("rate_limits: %s: %d is negative; 0 means no limit", method, perMinute))
		}
	}
	return errors.Join(faults...)
}
