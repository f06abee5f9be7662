package openstack

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/layer3/floatingips"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// everybody is who may connect when nobody is named.
var everybody = []string{"0.0.0.0/0", "::/0"}

// UpdateAccess lets in to the database exactly those that are named, and gives it a floating IP or takes it away.
func (p *Provider) UpdateAccess(ctx context.Context, instanceID string, access step.Access) ([]step.Address, error) {
	if err := validID(instanceID); err != nil {
		return nil, err
	}
	if access.Public && p.public == nil {
		return nil, errs.New(errs.Invalid, "PUBLIC_UNSUPPORTED", "The provider 'openstack' has no network for public addresses here.")
	}
	kind, known := dbserver.Of(access.Manager)
	if !known {
		return nil, errs.New(errs.Invalid, "DATASTORE_UNKNOWN", "There is no datastore %q.", access.Manager)
	}
	from, err := merged(access.CIDRs)
	if err != nil {
		return nil, err
	}
	group, err := p.instanceGroup(ctx, instanceID)
	if err != nil {
		return nil, err
	}
	var wanted []opening
	for _, cidr := range from {
		wanted = append(wanted, opening{port: kind.Port, from: cidr})
	}
	if err := p.open(ctx, group, wanted); err != nil {
		return nil, err
	}
	if !access.Public {
		return nil, p.withdrawFloating(ctx, instanceID)
	}
	floating, err := p.floating(ctx, instanceID)
	if err != nil {
		return nil, err
	}
	return []step.Address{{ID: floating.ID, IP: floating.FloatingIP, NetworkID: floating.FloatingNetworkID}}, nil
}

// merged is the shortest list of networks that holds all of these and nothing else; everybody for none.
func merged(cidrs []string) ([]string, error) {
	if len(cidrs) == 0 {
		return everybody, nil
	}
	var left []netip.Prefix
	for _, cidr := range cidrs {
		prefix, err := netip.ParsePrefix(cidr)
		if err != nil {
			return nil, errs.New(errs.Invalid, "CIDR_INVALID", "%q is no network such as 192.0.2.0/24.", cidr)
		}
		left = append(left, prefix.Masked())
	}
	for shrunk := true; shrunk; {
		left, shrunk = mergeOnce(left)
	}
	texts := make([]string, len(left))
	for n, prefix := range left {
		texts[n] = prefix.String()
	}
	return texts, nil
}

// mergeOnce drops what lies within its neighbour, and replaces two halves by the whole.
func mergeOnce(all []netip.Prefix) (left []netip.Prefix, shrunk bool) {
	slices.SortFunc(all, func(a, b netip.Prefix) int { return cmp.Or(a.Addr().Compare(b.Addr()), a.Bits()-b.Bits()) })
	for _, prefix := range all {
		if len(left) == 0 {
			left = append(left, prefix)
			continue
		}
		last := &left[len(left)-1]
		switch parent := netip.PrefixFrom(last.Addr(), last.Bits()-1).Masked(); {
		case last.Overlaps(prefix):
		case last.Bits() == prefix.Bits() && last.Bits() > 0 && parent.Contains(prefix.Addr()):
			*last = parent
		default:
			left = append(left, prefix)
			continue
		}
		shrunk = true
	}
	return left, shrunk
}

// floating finds or makes the instance's floating IP. Its description says whose it is: it has no name.
func (p *Provider) floating(ctx context.Context, instanceID string) (*floatingips.FloatingIP, error) {
	port, err := p.portOf(ctx, p.databaseMark(instanceID))
	if err != nil {
		return nil, err
	}
	found, err := p.floatingOf(ctx, instanceID)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		if found[0].PortID == port.ID {
			return &found[0], nil
		}
		bound, err := floatingips.Update(ctx, p.network, found[0].ID, floatingips.UpdateOpts{PortID: &port.ID}).Extract()
		return bound, fault(neutron, "give floating IP "+found[0].FloatingIP+" to its instance", err)
	}
	made, err := floatingips.Create(ctx, p.network, floatingips.CreateOpts{
		FloatingNetworkID: p.public.ID, PortID: port.ID, Description: p.mark(instanceID),
	}).Extract()
	return made, fault(neutron, "create a floating IP for instance "+instanceID, err)
}

func (p *Provider) floatingOf(ctx context.Context, instanceID string) ([]floatingips.FloatingIP, error) {
	found, err := cloud.All(ctx, floatingips.List(p.network, floatingips.ListOpts{Description: p.mark(instanceID), ProjectID: p.project}),
		floatingips.ExtractFloatingIPs)
	return found, fault(neutron, "find the floating IP of instance "+instanceID, err)
}

func (p *Provider) withdrawFloating(ctx context.Context, instanceID string) error {
	found, err := p.floatingOf(ctx, instanceID)
	if err != nil {
		return err
	}
	for _, floating := range found {
		err := floatingips.Delete(ctx, p.network, floating.ID).ExtractErr()
		if err := orGone(fault(neutron, "delete floating IP "+floating.FloatingIP, err)); err != nil {
			return err
		}
	}
	return nil
}
