package openstack

import (
	"context"

	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/rbacpolicies"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"

	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
)

// mayUse says whether a project may put a port on a network: its own, a shared one, the default one, or one that was
// shared with it.
func (p *Provider) mayUse(ctx context.Context, network *networks.Network, projectID string) (bool, error) {
	switch {
	case network.ID == p.management.ID:
		return false, nil
	case network.ProjectID == projectID, network.Shared, p.fallback != nil && network.ID == p.fallback.ID:
		return true, nil
	case projectID == "":
		return false, nil
	}
	found, err := cloud.All(ctx, rbacpolicies.List(p.network, rbacpolicies.ListOpts{
		ObjectType: "network", ObjectID: network.ID, TargetTenant: projectID, Action: rbacpolicies.ActionAccessShared,
	}), rbacpolicies.ExtractRBACPolicies)
	return len(found) > 0, fault(neutron, "find who may use network "+network.ID, err)
}
