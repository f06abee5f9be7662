package builtin

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Config is what an operator may set.
type Config struct {
	// UsersFile holds users and projects (YAML or JSON). Only its owner may read it.
	UsersFile string `koanf:"users_file"`
	// PublicURL is where clients reach the REST API, without a slash at the end: http://127.0.0.1:8779. It is the
	// control plane's own setting, handed on.
	PublicURL string `koanf:"-"`
	// Mount is the path at which the handler stands: /identity.
	Mount string `koanf:"mount"`
	// URL is where clients reach the handler; empty means PublicURL and Mount, as in `coffer serve`.
	URL string `koanf:"url"`
	// Region is the region of the catalog.
	Region string `koanf:"region"`
	// TokenTTL is how long a token is good.
	TokenTTL time.Duration `koanf:"token_ttl"`
	// TokenRecheck is for how long a token that was found good is taken as good without asking the store again. It
	// bounds for how long a token that another api revoked still works here; one revoked here stops at once.
	TokenRecheck time.Duration `koanf:"token_recheck"`
}

// DefaultConfig has Keystone's defaults; UsersFile and PublicURL have none.
func DefaultConfig() Config {
	return Config{
		Mount:        "/identity",
		Region:       "RegionOne",
		TokenTTL:     time.Hour,
		TokenRecheck: 5 * time.Second,
	}
}

// Validate joins every fault, each beginning with the setting's name and a colon.
func (c Config) Validate() error {
	var faults []error
	if c.UsersFile == "" {
		faults = append(faults, errors.New("users_file: must name a file"))
	}
	if err := validateURL("public_url", c.PublicURL); err != nil {
		faults = append(faults, err)
	}
	if c.URL != "" {
		if err := validateURL("url", c.URL); err != nil {
			faults = append(faults, err)
		}
	}
	if !strings.HasPrefix(c.Mount, "/") || strings.HasSuffix(c.Mount, "/") {
		faults = append(faults, fmt.Errorf("mount: is %q; must start with a slash and not end with one", c.Mount))
	}
	if c.Region == "" {
		faults = append(faults, errors.New("region: must not be empty"))
	}
	if c.TokenTTL < time.Minute {
		faults = append(faults, fmt.Errorf("token_ttl: is %s; must be at least 1m", c.TokenTTL))
	}
	if c.TokenRecheck < 0 || c.TokenRecheck > time.Minute {
		faults = append(faults, fmt.Errorf("token_recheck: is %s; must be between 0s and 1m", c.TokenRecheck))
	}
	return errors.Join(faults...)
}

func validateURL(name, value string) error {
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.HasSuffix(value, "/") {
		return fmt.Errorf("%s: is %q; must be an http or https URL without a slash at its end", name, value)
	}
	return nil
}

func (c Config) identityURL() string {
	if c.URL != "" {
		return c.URL
	}
	return c.PublicURL + c.Mount
}
