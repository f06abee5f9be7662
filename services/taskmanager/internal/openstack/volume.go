package openstack

import (
	"context"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// Cinder's words for a volume's status.
const (
	cinderAttaching = "attaching"
	cinderAvailable = "available"
	cinderInUse     = "in-use"
	cinderReserved  = "reserved"
	cinderDeleting  = "deleting"
)

// CreateVolume makes the instance's volume, or goes on with the one that an interrupted attempt has left.
func (p *Provider) CreateVolume(ctx context.Context, spec step.VolumeSpec) (step.Volume, error) {
	volume, err := p.volumeOf(ctx, spec.InstanceID)
	if errs.IsKind(err, errs.NotFound) {
		volume, err = p.makeVolume(ctx, spec)
	}
	if err != nil {
		return step.Volume{}, err
	}
	if volume, err = p.awaitVolume(ctx, volume, "create volume "+volume.ID, cinderAvailable, cinderReserved, cinderInUse); err != nil {
		return step.Volume{}, err
	}
	return step.Volume{ID: volume.ID, InstanceID: spec.InstanceID, Size: volume.Size}, nil
}

func (p *Provider) makeVolume(ctx context.Context, spec step.VolumeSpec) (*volumes.Volume, error) {
	made, err := volumes.Create(ctx, p.volume, volumes.CreateOpts{
		Name: p.mark(spec.InstanceID), Description: spec.Name, Size: spec.Size, VolumeType: spec.Type,
		AvailabilityZone: spec.AvailabilityZone, Metadata: noted(spec.InstanceID, spec.Owner),
	}, nil).Extract()
	if err == nil {
		return made, nil
	}
	err = fault(cinder, "create a volume for instance "+spec.InstanceID, err)
	if errs.IsKind(err, errs.NotFound) {
		return nil, errs.New(errs.Invalid, "VOLUME_TYPE_NOT_FOUND", "There is no volume type %s.", spec.Type).Because(err)
	}
	return nil, err
}

// DeleteVolume deletes the instance's volume. One that an outage of Cinder's has left half made is deleted by force, which
// Cinder refuses for one that is attached.
func (p *Provider) DeleteVolume(ctx context.Context, instanceID string) error {
	found, err := p.volumesOf(ctx, instanceID)
	if err != nil {
		return err
	}
	for n := range found {
		if err := p.deleteVolume(ctx, &found[n]); err != nil {
			return err
		}
	}
	return nil
}

func (p *Provider) deleteVolume(ctx context.Context, volume *volumes.Volume) error {
	if len(volume.Attachments) > 0 {
		return errs.New(errs.WrongState, "VOLUME_IN_USE", "Volume %s is attached to server %s.", volume.ID, volume.Attachments[0].ServerID)
	}
	doing := "delete volume " + volume.ID
	var err error
	switch volume.Status {
	case cinderDeleting:
	case cinderAvailable:
		err = volumes.Delete(ctx, p.volume, volume.ID, nil).ExtractErr()
	default:
		err = volumes.ForceDelete(ctx, p.volume, volume.ID).ExtractErr()
	}
	if err != nil {
		return orGone(fault(cinder, doing, err))
	}
	_, err = p.volumes.until(ctx, volume.ID, func(seen *volumes.Volume, err error) (bool, error) {
		if errs.IsKind(err, errs.NotFound) {
			return true, nil
		}
		if err == nil && seen.Status != cinderDeleting {
			return false, errs.New(errs.WrongState, "VOLUME_ERROR", "%s could not %s: its status is %s.", cinder, doing, seen.Status)
		}
		return false, err
	})
	return err
}

// volumeOf is the instance's one volume; NotFound when there is none.
func (p *Provider) volumeOf(ctx context.Context, instanceID string) (*volumes.Volume, error) {
	found, err := p.volumesOf(ctx, instanceID)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errs.New(errs.NotFound, "VOLUME_NOT_FOUND", "Instance %s has no volume.", instanceID)
	}
	first := slices.MinFunc(found, func(a, b volumes.Volume) int { return older(a.CreatedAt, b.CreatedAt, a.ID, b.ID) })
	return &first, nil
}

func (p *Provider) volumesOf(ctx context.Context, instanceID string) ([]volumes.Volume, error) {
	if err := validID(instanceID); err != nil {
		return nil, err
	}
	found, err := cloud.All(ctx, volumes.List(p.volume, volumes.ListOpts{Name: p.mark(instanceID)}), volumes.ExtractVolumes)
	return found, fault(cinder, "find the volume of instance "+instanceID, err)
}

func (p *Provider) getVolume(ctx context.Context, id string) (*volumes.Volume, error) {
	found, err := volumes.Get(ctx, p.volume, id).Extract()
	return found, fault(cinder, "look at volume "+id, err)
}

func (p *Provider) allVolumes(ctx context.Context) (map[string]*volumes.Volume, error) {
	found, err := cloud.All(ctx, volumes.List(p.volume, volumes.ListOpts{}), volumes.ExtractVolumes)
	byID := make(map[string]*volumes.Volume, len(found))
	for n := range found {
		byID[found[n].ID] = &found[n]
	}
	return byID, fault(cinder, "list volumes", err)
}

// awaitVolume answers with a volume once it has one of the statuses, which it may have already.
func (p *Provider) awaitVolume(ctx context.Context, volume *volumes.Volume, doing string, wanted ...string) (*volumes.Volume, error) {
	if ok, err := volumeIs(volume, doing, wanted...); ok || err != nil {
		return volume, err
	}
	return p.watchVolume(ctx, volume.ID, doing, wanted...)
}

// watchVolume looks from now on until the volume has one of the statuses.
func (p *Provider) watchVolume(ctx context.Context, id, doing string, wanted ...string) (*volumes.Volume, error) {
	return p.volumes.until(ctx, id, func(seen *volumes.Volume, err error) (bool, error) {
		if err != nil {
			return false, err
		}
		return volumeIs(seen, doing, wanted...)
	})
}

// volumeIs says whether a volume has one of the statuses. Cinder's words for failures begin with error.
func volumeIs(seen *volumes.Volume, doing string, wanted ...string) (bool, error) {
	if strings.HasPrefix(seen.Status, "error") {
		return false, errs.New(errs.WrongState, "VOLUME_ERROR", "%s could not %s: its status is %s.", cinder, doing, seen.Status)
	}
	return slices.Contains(wanted, seen.Status), nil
}
