package openstack

import (
	"context"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/attachments"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
)

// completeAttachment ends the attaching of a volume with which its server runs. A resize that breaks in Nova leaves it
// begun: a hard reboot brings the server back with its volume, but Cinder would refuse whatever is done to that later.
func (p *Provider) completeAttachment(ctx context.Context, instanceID string, server *servers.Server) error {
	volume, err := p.volumeOf(ctx, instanceID)
	if errs.IsKind(err, errs.NotFound) {
		return nil
	}
	if err != nil || volume.Status != cinderAttaching {
		return err
	}
	doing := "complete the attachment of volume " + volume.ID
	found, err := cloud.All(ctx, attachments.List(p.volume, attachments.ListOpts{VolumeID: volume.ID}), attachments.ExtractAttachments)
	if err != nil {
		return fault(cinder, doing, err)
	}
	for _, attachment := range found {
		if attachment.Instance != server.ID || attachment.Status != cinderAttaching {
			continue
		}
		if err := attachments.Complete(ctx, p.volume, attachment.ID).ExtractErr(); err != nil {
			return fault(cinder, doing, err)
		}
	}
	_, err = p.watchVolume(ctx, volume.ID, doing, cinderInUse)
	return err
}
