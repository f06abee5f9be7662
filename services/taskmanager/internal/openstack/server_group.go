package openstack

import (
	"context"
	"slices"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servergroups"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// hints put a server into its set's group. The first of a set makes the group; the others find it by the server of the
// instance that they replicate.
func (p *Provider) hints(ctx context.Context, spec step.ServerSpec) (servers.SchedulerHintOpts, error) {
	if spec.Locality == "" {
		return servers.SchedulerHintOpts{}, nil
	}
	if spec.ReplicaOf != "" {
		source, err := p.server(ctx, spec.ReplicaOf)
		if err != nil {
			return servers.SchedulerHintOpts{}, err
		}
		groups, err := p.groupsOf(ctx, source.ID)
		if err != nil || len(groups) == 0 {
			return servers.SchedulerHintOpts{}, err
		}
		return servers.SchedulerHintOpts{Group: groups[0]}, nil
	}
	group, err := p.serverGroup(ctx, spec.InstanceID, spec.Locality)
	return servers.SchedulerHintOpts{Group: group}, err
}

// groupsOf are the ids of the groups that a server is in; the list of servers does not tell them.
func (p *Provider) groupsOf(ctx context.Context, serverID string) ([]string, error) {
	found, err := p.serverGroups(ctx)
	var ids []string
	for _, group := range found {
		if slices.Contains(group.Members, serverID) {
			ids = append(ids, group.ID)
		}
	}
	return ids, err
}

// serverGroup finds or makes the group of an instance's set.
func (p *Provider) serverGroup(ctx context.Context, instanceID, policy string) (string, error) {
	found, err := p.serverGroups(ctx)
	if err != nil {
		return "", err
	}
	for _, group := range found {
		if group.Name == p.mark(instanceID) {
			return group.ID, nil
		}
	}
	made, err := servergroups.Create(ctx, p.compute, servergroups.CreateOpts{Name: p.mark(instanceID), Policy: policy}).Extract()
	if err != nil {
		return "", fault(nova, "create a server group for instance "+instanceID, err)
	}
	return made.ID, nil
}

// deleteServerGroups deletes those of the groups, and the one that the instance made, that have no members any more.
func (p *Provider) deleteServerGroups(ctx context.Context, instanceID string, left []string) error {
	found, err := p.serverGroups(ctx)
	if err != nil {
		return err
	}
	for _, group := range found {
		if len(group.Members) > 0 || group.Name != p.mark(instanceID) && !slices.Contains(left, group.ID) {
			continue
		}
		err := servergroups.Delete(ctx, p.compute, group.ID).ExtractErr()
		if err := orGone(fault(nova, "delete server group "+group.ID, err)); err != nil {
			return err
		}
	}
	return nil
}

func (p *Provider) serverGroups(ctx context.Context) ([]servergroups.ServerGroup, error) {
	found, err := cloud.All(ctx, servergroups.List(p.compute, nil), servergroups.ExtractServerGroups)
	return found, fault(nova, "list server groups", err)
}
