package openstack

import (
	"context"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/layer3/floatingips"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/security/groups"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"

	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/sweep"
)

var _ sweep.Cloud = (*Provider)(nil)

// Holdings are all that carries the mark of an instance of this deployment.
func (p *Provider) Holdings(ctx context.Context) ([]sweep.Holding, error) {
	var held []sweep.Holding
	hold := func(kind, id, mark string) {
		if instanceID := p.markOf(mark); instanceID != "" {
			held = append(held, sweep.Holding{Kind: kind, ID: id, InstanceID: instanceID})
		}
	}
	machines, err := p.changedServers(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	for _, server := range machines {
		hold(sweep.KindServer, server.ID, p.mark(server.Metadata[keyInstance]))
	}
	disks, err := cloud.All(ctx, volumes.List(p.volume, volumes.ListOpts{}), volumes.ExtractVolumes)
	if err != nil {
		return nil, fault(cinder, "list volumes", err)
	}
	for _, volume := range disks {
		hold("volume", volume.ID, volume.Name)
	}
	plugs, err := cloud.All(ctx, ports.List(p.network, ports.ListOpts{ProjectID: p.project}), ports.ExtractPorts)
	if err != nil {
		return nil, fault(neutron, "list ports", err)
	}
	for _, port := range plugs {
		hold("port", port.ID, port.Name)
	}
	own, err := cloud.All(ctx, groups.List(p.network, groups.ListOpts{ProjectID: p.project}), groups.ExtractGroups)
	if err != nil {
		return nil, fault(neutron, "list security groups", err)
	}
	for _, group := range own {
		hold("security_group", group.ID, group.Name)
	}
	floating, err := cloud.All(ctx, floatingips.List(p.network, floatingips.ListOpts{ProjectID: p.project}), floatingips.ExtractFloatingIPs)
	if err != nil {
		return nil, fault(neutron, "list floating IPs", err)
	}
	for _, ip := range floating {
		hold("floating_ip", ip.ID, ip.Description)
	}
	sets, err := p.serverGroups(ctx)
	if err != nil {
		return nil, err
	}
	for _, set := range sets {
		// One with members is in use by the rest of its set, whoever made it.
		if len(set.Members) == 0 {
			hold("server_group", set.ID, set.Name)
		}
	}
	return held, nil
}
