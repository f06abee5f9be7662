package openstack

import (
	"context"
	"slices"

	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/subnets"
	"golang.org/x/sync/errgroup"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// databaseMark names the port on the tenant's network, on which the database listens.
func (p *Provider) databaseMark(instanceID string) string { return p.mark(instanceID) + "-database" }

// managementMark names the port on which the agent listens.
func (p *Provider) managementMark(instanceID string) string {
	return p.mark(instanceID) + "-management"
}

// AllocateAddress makes the two ports of the instance, or what is missing of them, with nobody let in to the database yet.
func (p *Provider) AllocateAddress(ctx context.Context, spec step.AddressSpec) (step.Address, error) {
	if err := validID(spec.InstanceID); err != nil {
		return step.Address{}, err
	}
	var database *ports.Port
	database, err := p.portOf(ctx, p.databaseMark(spec.InstanceID))
	if errs.IsKind(err, errs.NotFound) {
		database, err = p.makeDatabasePort(ctx, spec)
	}
	if err != nil {
		return step.Address{}, err
	}
	if _, err = p.portOf(ctx, p.managementMark(spec.InstanceID)); errs.IsKind(err, errs.NotFound) {
		err = p.makeManagementPort(ctx, spec)
	}
	if err != nil {
		return step.Address{}, err
	}
	if len(database.FixedIPs) == 0 {
		return step.Address{}, errs.New(errs.Invalid, "NETWORK_WITHOUT_SUBNET", "Network %s has no subnet to take an address from.", database.NetworkID)
	}
	return step.Address{ID: database.ID, IP: database.FixedIPs[0].IPAddress, NetworkID: database.NetworkID}, nil
}

func (p *Provider) makeDatabasePort(ctx context.Context, spec step.AddressSpec) (*ports.Port, error) {
	network, err := p.tenantNetwork(ctx, spec)
	if err != nil {
		return nil, err
	}
	own, err := p.instanceGroup(ctx, spec.InstanceID)
	if err != nil {
		return nil, err
	}
	groups := []string{own}
	if spec.Owner.ProjectID != "" {
		members, err := p.membersGroup(ctx, spec.Owner.ProjectID)
		if err != nil {
			return nil, err
		}
		groups = append(groups, members)
	}
	create := ports.CreateOpts{
		Name: p.databaseMark(spec.InstanceID), Description: "the database of Coffer instance " + spec.InstanceID,
		NetworkID: network, SecurityGroups: &groups,
	}
	if spec.SubnetID != "" || spec.IPAddress != "" {
		create.FixedIPs = []ports.IP{{SubnetID: spec.SubnetID, IPAddress: spec.IPAddress}}
	}
	return p.makePort(ctx, create)
}

func (p *Provider) makeManagementPort(ctx context.Context, spec step.AddressSpec) error {
	group, err := p.managementGroup(ctx)
	if err != nil {
		return err
	}
	_, err = p.makePort(ctx, ports.CreateOpts{
		Name: p.managementMark(spec.InstanceID), Description: "the guest agent of Coffer instance " + spec.InstanceID,
		NetworkID: p.management.ID, SecurityGroups: &[]string{group},
	})
	return err
}

func (p *Provider) makePort(ctx context.Context, create ports.CreateOpts) (*ports.Port, error) {
	made, err := ports.Create(ctx, p.network, create).Extract()
	err = fault(neutron, "create port "+create.Name, err)
	if errs.IsKind(err, errs.NotFound) {
		// The network is there: a shared security group was deleted by whoever thought to be its last user.
		return nil, errs.New(errs.Unavailable, "SECURITY_GROUP_GONE", "A security group was deleted meanwhile.").Because(err)
	}
	return made, err
}

// tenantNetwork is the network that is asked for, if the instance's project may use it: the service user may use all.
func (p *Provider) tenantNetwork(ctx context.Context, spec step.AddressSpec) (string, error) {
	id := spec.NetworkID
	if id == "" && spec.SubnetID != "" {
		subnet, err := subnets.Get(ctx, p.network, spec.SubnetID).Extract()
		if err != nil {
			return "", notOne("subnet", spec.SubnetID, fault(neutron, "find subnet "+spec.SubnetID, err))
		}
		id = subnet.NetworkID
	}
	if id == "" {
		if p.fallback == nil {
			return "", errs.New(errs.Invalid, "NETWORK_NOT_PROVIDED", "A network must be named in nics: there is no default network.")
		}
		return p.fallback.ID, nil
	}
	network, err := networks.Get(ctx, p.network, id).Extract()
	if err != nil {
		return "", notOne("network", id, fault(neutron, "find network "+id, err))
	}
	usable, err := p.mayUse(ctx, network, spec.Owner.ProjectID)
	if err != nil {
		return "", err
	}
	if !usable {
		return "", notOne("network", id, errs.New(errs.NotFound, "NETWORK_FOREIGN", "It is another project's."))
	}
	return network.ID, nil
}

// notOne answers for what does not exist, and for what the tenant must not know to exist.
func notOne(what, id string, err error) error {
	if errs.IsKind(err, errs.NotFound) {
		return errs.New(errs.Invalid, "NETWORK_NOT_FOUND", "There is no %s %s.", what, id).Because(err)
	}
	return err
}

// portOf finds a port of ours by its name; NotFound when there is none.
func (p *Provider) portOf(ctx context.Context, name string) (*ports.Port, error) {
	found, err := p.portsNamed(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errs.New(errs.NotFound, "PORT_NOT_FOUND", "There is no port %s.", name)
	}
	first := slices.MinFunc(found, func(a, b ports.Port) int { return older(a.CreatedAt, b.CreatedAt, a.ID, b.ID) })
	return &first, nil
}

func (p *Provider) portsNamed(ctx context.Context, name string) ([]ports.Port, error) {
	found, err := cloud.All(ctx, ports.List(p.network, ports.ListOpts{Name: name, ProjectID: p.project}), ports.ExtractPorts)
	return found, fault(neutron, "find port "+name, err)
}

// ReleaseAddress deletes floating IPs, ports and groups of the instance.
func (p *Provider) ReleaseAddress(ctx context.Context, instanceID string) error {
	if err := validID(instanceID); err != nil {
		return err
	}
	if err := p.withdrawFloating(ctx, instanceID); err != nil {
		return err
	}
	var both errgroup.Group
	for _, name := range []string{p.databaseMark(instanceID), p.managementMark(instanceID)} {
		both.Go(func() error { return p.deletePorts(ctx, name) })
	}
	if err := both.Wait(); err != nil {
		return err
	}
	return p.deleteGroups(ctx, instanceID)
}

func (p *Provider) deletePorts(ctx context.Context, name string) error {
	found, err := p.portsNamed(ctx, name)
	if err != nil {
		return err
	}
	for _, port := range found {
		err := ports.Delete(ctx, p.network, port.ID).ExtractErr()
		if err := orGone(fault(neutron, "delete port "+port.ID, err)); err != nil {
			return err
		}
	}
	return nil
}
