package openstack

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"time"

	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
)

// Config says which cloud, and how it is used.
type Config struct {
	// Cloud is the name of the service user's entry in clouds.yaml, with a password or an application credential.
	Cloud string `koanf:"cloud"`
	// CloudsFile is clouds.yaml; empty looks where all of OpenStack's tools do.
	CloudsFile string `koanf:"clouds_file"`
	// Deployment tells apart the control planes that share a project; all that is made begins with it.
	Deployment string `koanf:"deployment"`
	// ManagementNetwork is the id or name of the network on which guests are reached. Required.
	ManagementNetwork string `koanf:"management_network"`
	// ManagementCIDRs are where taskmanagers call guests from; none means the subnets of the management network.
	ManagementCIDRs []string `koanf:"management_cidrs"`
	// DefaultNetwork is the id or name of the network of instances that name none; empty: they must name one.
	DefaultNetwork string `koanf:"default_network"`
	// PublicNetwork is the id or name of the external network of floating IPs; empty: no instance can be public.
	PublicNetwork string `koanf:"public_network"`
	// AvailabilityZone is the zone of servers of instances that name none; empty leaves it to Nova.
	AvailabilityZone string `koanf:"availability_zone"`
	// DefaultDatastore is the datastore of instances that name none; empty is the first in the order of the names.
	DefaultDatastore string `koanf:"default_datastore"`
	// RequestTimeout bounds each call of an OpenStack service.
	RequestTimeout time.Duration `koanf:"request_timeout"`
	// PollInterval is the shortest pause between two looks at what a service is doing; it grows to ten times as much.
	PollInterval time.Duration `koanf:"poll_interval"`
	// StopLimit is how long a server may take to stop until its network alone is what is cut.
	StopLimit time.Duration `koanf:"stop_limit"`
	// WatchInterval is how often servers are looked at for what became of them by themselves.
	WatchInterval time.Duration `koanf:"watch_interval"`
	// CatalogInterval is how often flavors, images and volume types are read again.
	CatalogInterval time.Duration `koanf:"catalog_interval"`
}

// DefaultConfig has no cloud and no management network.
func DefaultConfig() Config {
	return Config{
		Deployment: "coffer", RequestTimeout: time.Minute, PollInterval: time.Second, StopLimit: 2 * time.Minute,
		WatchInterval: 10 * time.Second, CatalogInterval: time.Minute,
	}
}

// longestDeployment leaves room for an instance's id in a Nova tag, which has 60 characters.
const longestDeployment = 20

var deployments = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// Validate joins all that is wrong, each beginning with the setting's name and a colon.
func (c Config) Validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	faults = append(faults, cloud.Config{Cloud: c.Cloud}.Validate())
	fault(!deployments.MatchString(c.Deployment) || len(c.Deployment) > longestDeployment,
		"deployment: must be a letter and up to %d letters, digits and dashes, all small, is %q", longestDeployment-1, c.Deployment)
	fault(c.ManagementNetwork == "", "management_network: must be the id or the name of a network")
	for _, cidr := range c.ManagementCIDRs {
		_, err := netip.ParsePrefix(cidr)
		fault(err != nil, "management_cidrs: must be networks such as 10.0.0.0/24, one is %q", cidr)
	}
	for name, interval := range map[string]time.Duration{
		"request_timeout": c.RequestTimeout, "poll_interval": c.PollInterval, "stop_limit": c.StopLimit,
		"watch_interval": c.WatchInterval, "catalog_interval": c.CatalogInterval,
	} {
		fault(interval < time.Second, "%s: must be at least 1s, is %s", name, interval)
	}
	return errors.Join(faults...)
}
