package openstack

import (
	"context"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// DeleteServer deletes all servers of the instance, and the groups that only they were in.
func (p *Provider) DeleteServer(ctx context.Context, instanceID string) error {
	found, err := p.serversOf(ctx, instanceID)
	if err != nil {
		return err
	}
	var groups []string
	for _, server := range found {
		left, err := p.groupsOf(ctx, server.ID)
		if err != nil {
			return err
		}
		groups = append(groups, left...)
		if err := p.deleteServer(ctx, server.ID); err != nil {
			return err
		}
	}
	for _, server := range found {
		if err := p.awaitGone(ctx, server.ID); err != nil {
			return err
		}
	}
	return p.deleteServerGroups(ctx, instanceID, groups)
}

func (p *Provider) deleteServer(ctx context.Context, id string) error {
	err := servers.Delete(ctx, p.compute, id).ExtractErr()
	return orGone(fault(nova, "delete server "+id, err))
}

// awaitGone waits until a server that is being deleted is gone. A cloud that keeps deleted servers for a while is told not
// to: this one's volume and ports are to be deleted next.
func (p *Provider) awaitGone(ctx context.Context, id string) error {
	forced := false
	_, err := p.servers.until(ctx, id, func(seen *servers.Server, err error) (bool, error) {
		switch {
		case errs.IsKind(err, errs.NotFound):
			return true, nil
		case err != nil:
			return false, err
		case seen.Status == novaDeleted:
			return true, nil
		case seen.Status == novaSoftDeleted && !forced:
			forced = true
			return false, orGone(fault(nova, "delete server "+id+" for good", servers.ForceDelete(ctx, p.compute, id).ExtractErr()))
		case seen.Status == novaError && seen.TaskState == "":
			return false, p.brokenServer(ctx, seen, "delete server "+id)
		}
		return false, nil
	})
	return err
}
