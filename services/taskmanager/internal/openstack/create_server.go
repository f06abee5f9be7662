package openstack

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/firstboot"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// CreateServer makes the instance's server, or goes on with the one that an interrupted attempt has left.
func (p *Provider) CreateServer(ctx context.Context, spec step.ServerSpec) (step.Server, error) {
	left, err := p.server(ctx, spec.InstanceID)
	if errs.IsKind(err, errs.NotFound) {
		left, err = p.build(ctx, spec)
	}
	if err != nil {
		return step.Server{}, err
	}
	running, err := p.bringUp(ctx, spec.InstanceID, left)
	if err != nil {
		return step.Server{}, err
	}
	return told(spec.InstanceID, running), nil
}

// build asks Nova for a server. The volume can be given to one server alone, so of two who ask one is refused, and finds
// the other's.
func (p *Provider) build(ctx context.Context, spec step.ServerSpec) (*servers.Server, error) {
	image, err := p.imageFor(ctx, spec.Manager, spec.Version, spec.Image)
	if err != nil {
		return nil, err
	}
	management, err := p.portOf(ctx, p.managementMark(spec.InstanceID))
	if err != nil {
		return nil, err
	}
	userData, guest, err := userData(spec, management)
	if err != nil {
		return nil, err
	}
	hints, err := p.hints(ctx, spec)
	if err != nil {
		return nil, err
	}
	configDrive := true
	metadata := described(spec)
	metadata[keyGuest] = guest
	made, err := servers.Create(ctx, p.compute, servers.CreateOpts{
		Name: spec.Name, ImageRef: image, FlavorRef: spec.Flavor.ID, AvailabilityZone: cmp.Or(spec.AvailabilityZone, p.cfg.AvailabilityZone),
		ConfigDrive: &configDrive, UserData: userData, Metadata: metadata, Tags: p.tags(spec.InstanceID),
		Networks: []servers.Network{{Port: spec.Address.ID}, {Port: management.ID}},
		BlockDevice: []servers.BlockDevice{
			{SourceType: servers.SourceImage, DestinationType: servers.DestinationLocal, UUID: image, DeleteOnTermination: true},
			{SourceType: servers.SourceVolume, DestinationType: servers.DestinationVolume, UUID: spec.Volume.ID, BootIndex: -1},
		},
	}, hints).Extract()
	if err == nil {
		return made, nil
	}
	err = fault(nova, "create a server for instance "+spec.InstanceID, err)
	if errs.IsKind(err, errs.Invalid) {
		return p.others(ctx, spec, err)
	}
	return nil, err
}

// othersPatience is how long Nova may take to show a server for which it has reserved a volume.
const othersPatience = 30 * time.Second

// others is the server for which somebody else has just taken the volume, or refused where nobody has.
func (p *Provider) others(ctx context.Context, spec step.ServerSpec, refused error) (*servers.Server, error) {
	waiting, cancel := context.WithTimeout(ctx, othersPatience)
	defer cancel()
	for {
		volume, err := p.getVolume(waiting, spec.Volume.ID)
		if err != nil || volume.Status == cinderAvailable {
			return nil, refused
		}
		if other, err := p.server(waiting, spec.InstanceID); !errs.IsKind(err, errs.NotFound) {
			return other, err
		}
		if !pause.For(waiting, p.cfg.PollInterval) {
			return nil, refused
		}
	}
}

// described is what stands on the server.
func described(spec step.ServerSpec) map[string]string {
	all := noted(spec.InstanceID, spec.Owner)
	all[keyManager], all[keyVersion] = spec.Manager, spec.Version
	return all
}

// userData is what the machine is told at its first boot, and where its agent will listen.
func userData(spec step.ServerSpec, management *ports.Port) (data []byte, guest string, err error) {
	if len(management.FixedIPs) == 0 {
		return nil, "", errs.New(errs.Internal, "NO_MANAGEMENT_ADDRESS", "Port %s on the management network has no address.", management.ID)
	}
	listen, err := netip.ParseAddr(management.FixedIPs[0].IPAddress)
	if err != nil {
		return nil, "", fmt.Errorf("read the address of port %s: %w", management.ID, err)
	}
	address, err := netip.ParseAddr(spec.Address.IP)
	if err != nil {
		return nil, "", fmt.Errorf("read the address of instance %s: %w", spec.InstanceID, err)
	}
	data, err = firstboot.Encode(firstboot.Guest{
		InstanceID: spec.InstanceID, Address: address, ManagementAddress: listen, AgentPort: step.AgentPort,
		VolumeID: spec.Volume.ID, Manager: spec.Manager, Version: spec.Version, MemoryMiB: spec.Flavor.RAM,
		Bootstrap: firstboot.Bootstrap{
			CAPEM: string(spec.Bootstrap.CAPEM), CertificatePEM: string(spec.Bootstrap.CertificatePEM),
			KeyPEM: string(spec.Bootstrap.KeyPEM),
		},
	})
	return data, net.JoinHostPort(listen.String(), strconv.Itoa(step.AgentPort)), err
}
