package openstack

import (
	"context"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/volumeattach"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// ExtendVolume makes the volume larger, in use where Cinder's back end can, else while its server is down.
func (p *Provider) ExtendVolume(ctx context.Context, instanceID string, size int) (step.Volume, error) {
	volume, err := p.volumeOf(ctx, instanceID)
	if err != nil {
		return step.Volume{}, err
	}
	doing := "extend volume " + volume.ID
	if volume, err = p.awaitVolume(ctx, volume, doing, cinderAvailable, cinderInUse); err != nil {
		return step.Volume{}, err
	}
	if size < volume.Size {
		return step.Volume{}, errs.New(errs.Invalid, "VOLUME_SMALLER", "The volume has %d GiB and cannot be made smaller.", volume.Size)
	}
	if size > volume.Size {
		if volume, err = p.extend(ctx, volume, size, doing); err != nil {
			return step.Volume{}, err
		}
	}
	if err := p.attachAgain(ctx, instanceID, volume); err != nil {
		return step.Volume{}, err
	}
	return step.Volume{ID: volume.ID, InstanceID: instanceID, Size: volume.Size}, nil
}

func (p *Provider) extend(ctx context.Context, volume *volumes.Volume, size int, doing string) (*volumes.Volume, error) {
	extended, err := p.tryExtend(ctx, volume, size, doing)
	if err != nil || extended.Size >= size || extended.Status == cinderAvailable {
		return extended, err
	}
	// The back end does not extend what is in use: Cinder took the order and left the volume as it was.
	server, err := p.getServer(ctx, extended.Attachments[0].ServerID)
	if err != nil {
		return nil, err
	}
	if err := p.detach(ctx, server, volume.ID); err != nil {
		return nil, err
	}
	return p.tryExtend(ctx, volume, size, doing)
}

// tryExtend answers with the volume as it is afterwards, of the new size or not.
func (p *Provider) tryExtend(ctx context.Context, volume *volumes.Volume, size int, doing string) (*volumes.Volume, error) {
	if err := volumes.ExtendSize(ctx, p.volume, volume.ID, volumes.ExtendSizeOpts{NewSize: size}).ExtractErr(); err != nil {
		return nil, fault(cinder, doing, err)
	}
	return p.watchVolume(ctx, volume.ID, doing, cinderAvailable, cinderInUse)
}

// detach takes the volume from its server, which is stopped first.
func (p *Provider) detach(ctx context.Context, server *servers.Server, volumeID string) error {
	if err := p.stop(ctx, server); err != nil {
		return err
	}
	doing := "detach volume " + volumeID
	if err := volumeattach.Delete(ctx, p.compute, server.ID, volumeID).ExtractErr(); err != nil {
		return fault(nova, doing, err)
	}
	_, err := p.watchVolume(ctx, volumeID, doing, cinderAvailable)
	return err
}

// attachAgain gives the volume back to its server, also after an attempt that was interrupted in between, and starts the
// server. It does nothing to a volume that is in use, nor where there is no server.
func (p *Provider) attachAgain(ctx context.Context, instanceID string, volume *volumes.Volume) error {
	if volume.Status != cinderAvailable {
		return nil
	}
	server, err := p.server(ctx, instanceID)
	if errs.IsKind(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	doing := "attach volume " + volume.ID
	if _, err := volumeattach.Create(ctx, p.compute, server.ID, volumeattach.CreateOpts{VolumeID: volume.ID}).Extract(); err != nil {
		return fault(nova, doing, err)
	}
	if _, err = p.awaitVolume(ctx, volume, doing, cinderInUse); err != nil {
		return err
	}
	_, err = p.bringUp(ctx, instanceID, server)
	return err
}
