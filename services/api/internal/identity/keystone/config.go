package keystone

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/openstack"
)

// maxTokenRecheck is keystonemiddleware's default.
const maxTokenRecheck = 5 * time.Minute

// Config says which Keystone is asked, and how.
type Config struct {
	// Cloud is the entry of clouds.yaml with the service user: where Keystone is, and who asks it. Keystone must let the
	// user check others' tokens, which the role service does.
	Cloud string `koanf:"cloud"`
	// CloudsFile is the clouds.yaml; empty for the places where OpenStack's own clients look. It is read again at each
	// login.
	CloudsFile string `koanf:"clouds_file"`
	// TokenRecheck is for how long a token that was found good is taken as good without asking Keystone again. It bounds
	// how long a revoked token, or a role that was taken away, still works here.
	TokenRecheck time.Duration `koanf:"token_recheck"`
	// ServiceTokenRoles are the roles of which a service needs one for its token to vouch for a user's expired one.
	ServiceTokenRoles []string `koanf:"service_token_roles"`
	// ServiceTokenRolesRequired refuses calls with a service's token that has none of the roles. Without it they are
	// taken, and vouch for nothing.
	ServiceTokenRolesRequired bool `koanf:"service_token_roles_required"`
}

// DefaultConfig asks as the cloud coffer.
func DefaultConfig() Config {
	return Config{
		Cloud: "coffer", TokenRecheck: 30 * time.Second,
		ServiceTokenRoles: []string{"service"}, ServiceTokenRolesRequired: true,
	}
}

// Validate joins every fault, each beginning with the setting's name and a colon. It reads no file.
func (c Config) Validate() error {
	faults := []error{c.client().Validate()}
	if c.TokenRecheck < 0 || c.TokenRecheck > maxTokenRecheck {
		faults = append(faults, fmt.Errorf("token_recheck: is %s; must be between 0s and %s", c.TokenRecheck, maxTokenRecheck))
	}
	if len(c.ServiceTokenRoles) == 0 || slices.Contains(c.ServiceTokenRoles, "") {
		faults = append(faults, errors.New("service_token_roles: must name roles"))
	}
	return errors.Join(faults...)
}

func (c Config) client() openstack.Config {
	return openstack.Config{Cloud: c.Cloud, CloudsFile: c.CloudsFile}
}
