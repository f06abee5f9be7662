package openstack

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/subnets"

	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/serverevent"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

var _ step.Provider = (*Provider)(nil)

const (
	// novaVersion is of Nova 19 (Stein). Rebuilding with user data wants 2.57, tags at creation 2.52, a migration's host 2.56,
	// one policy for a server group 2.64, a server's group among what it shows 2.71.
	novaVersion = "2.71"
	// cinderVersion is of Cinder 12 (Queens). Extending a volume in use wants 3.42, completing an attachment 3.44.
	cinderVersion = "3.44"
)

// Provider is one project of an OpenStack cloud.
type Provider struct {
	cfg Config
	log *slog.Logger

	compute, volume, network, image *gophercloud.ServiceClient
	// project is the service user's; all that is made belongs to it.
	project string
	region  string
	// management is the network on which guests are reached, fallback that of instances that name none, public that of
	// floating IPs; the last two may be nil.
	management, fallback, public *networks.Network
	// callers are the networks that taskmanagers call from.
	callers []string

	servers *lookout[*servers.Server]
	volumes *lookout[*volumes.Volume]
	events  *serverevent.Queue

	// groups is held while a shared security group is found or made, so that one taskmanager makes one.
	groups sync.Mutex
}

// Open logs in and finds the networks of the configuration. around may be nil; it wraps what carries every request.
func Open(ctx context.Context, cfg Config, around func(http.RoundTripper) http.RoundTripper, log *slog.Logger) (*Provider, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("openstack provider: %w", err)
	}
	client, endpoint, err := cloud.Client(ctx, cloud.Config{
		Cloud: cfg.Cloud, CloudsFile: cfg.CloudsFile,
		Around: func(next http.RoundTripper) http.RoundTripper {
			if around != nil {
				next = around(next)
			}
			return limited{next, cfg.RequestTimeout}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("openstack provider: %w", err)
	}
	p := &Provider{cfg: cfg, log: log, region: endpoint.Region, events: serverevent.New()}
	p.servers = &lookout[*servers.Server]{interval: cfg.PollInterval, one: p.getServer, recent: p.recentServers}
	p.volumes = &lookout[*volumes.Volume]{interval: cfg.PollInterval, one: p.getVolume, recent: p.allVolumes}
	if err := p.findServices(client, endpoint); err != nil {
		return nil, fmt.Errorf("openstack provider: %w", err)
	}
	if err := p.findNetworks(ctx); err != nil {
		return nil, fmt.Errorf("openstack provider: %w", err)
	}
	return p, nil
}

func (p *Provider) findServices(client *gophercloud.ProviderClient, endpoint gophercloud.EndpointOpts) error {
	for _, service := range []struct {
		client *(*gophercloud.ServiceClient)
		find   func(*gophercloud.ProviderClient, gophercloud.EndpointOpts) (*gophercloud.ServiceClient, error)
		name   string
	}{
		{&p.compute, openstack.NewComputeV2, nova},
		{&p.volume, openstack.NewBlockStorageV3, cinder},
		{&p.network, openstack.NewNetworkV2, neutron},
		{&p.image, openstack.NewImageV2, glance},
	} {
		found, err := service.find(client, endpoint)
		if err != nil {
			return fmt.Errorf("find %s in the catalogue: %w", service.name, err)
		}
		*service.client = found
	}
	p.compute.Microversion, p.volume.Microversion = novaVersion, cinderVersion
	login, ok := client.GetAuthResult().(tokens.CreateResult)
	if !ok {
		return fmt.Errorf("read the login: it is of the type %T", client.GetAuthResult())
	}
	project, err := login.ExtractProject()
	if err != nil {
		return fmt.Errorf("read the login's project: %w", err)
	}
	if project == nil {
		return fmt.Errorf("the cloud %q of clouds.yaml logs in to no project", p.cfg.Cloud)
	}
	p.project = project.ID
	return nil
}

func (p *Provider) findNetworks(ctx context.Context) (err error) {
	for _, wanted := range []struct {
		setting, name string
		network       **networks.Network
	}{
		{"management_network", p.cfg.ManagementNetwork, &p.management},
		{"default_network", p.cfg.DefaultNetwork, &p.fallback},
		{"public_network", p.cfg.PublicNetwork, &p.public},
	} {
		if wanted.name == "" {
			continue
		}
		if *wanted.network, err = p.findNetwork(ctx, wanted.name); err != nil {
			return fmt.Errorf("%s: %w", wanted.setting, err)
		}
	}
	p.callers = p.cfg.ManagementCIDRs
	if len(p.callers) > 0 {
		return nil
	}
	found, err := cloud.All(ctx, subnets.List(p.network, subnets.ListOpts{NetworkID: p.management.ID}), subnets.ExtractSubnets)
	if err != nil {
		return fault(neutron, "list the subnets of the management network", err)
	}
	for _, subnet := range found {
		p.callers = append(p.callers, subnet.CIDR)
	}
	return nil
}

// findNetwork finds a network by its id, or by a name that is its alone.
func (p *Provider) findNetwork(ctx context.Context, name string) (*networks.Network, error) {
	for _, query := range []networks.ListOpts{{ID: name}, {Name: name}} {
		found, err := cloud.All(ctx, networks.List(p.network, query), networks.ExtractNetworks)
		if err != nil {
			return nil, fault(neutron, "find network "+name, err)
		}
		switch len(found) {
		case 0:
		case 1:
			return &found[0], nil
		default:
			return nil, fmt.Errorf("%d networks have the name %q: give the id", len(found), name)
		}
	}
	return nil, fmt.Errorf("there is no network with the id or the name %q", name)
}
