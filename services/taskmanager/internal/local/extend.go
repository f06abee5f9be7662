package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// ExtendVolume grows the image and tells its loop device, or raises the folder's limit. What the volume is is written
// last, so that an interrupted call is repeated as a whole.
func (p *Provider) ExtendVolume(ctx context.Context, instanceID string, size int) (step.Volume, error) {
	release, err := p.folder.locks.instance(ctx, instanceID)
	if err != nil {
		return step.Volume{}, err
	}
	defer release()
	v, err := p.folder.readVolume(instanceID)
	if errors.Is(err, fs.ErrNotExist) {
		return step.Volume{}, errs.New(errs.NotFound, "VOLUME", "The instance has no volume.").Because(err)
	}
	if err != nil {
		return step.Volume{}, err
	}
	wanted := int64(size) * gib
	if wanted < v.Size {
		return step.Volume{}, errs.New(errs.Invalid, "VOLUME_SIZE", "The volume has %d GiB; it cannot become smaller.", v.Size/gib)
	}
	if wanted > v.Size {
		if err := p.checkSpace(wanted - v.Size); err != nil {
			return step.Volume{}, err
		}
	}
	v.Size = wanted
	if err := p.extend(instanceID, v); err != nil {
		return step.Volume{}, hostFailure("VOLUME", "The volume could not be extended", err)
	}
	return step.Volume{ID: instanceID, InstanceID: instanceID, Size: size}, nil
}

func (p *Provider) extend(instanceID string, v volumeFile) error {
	if !v.FileSystem {
		if err := p.raiseLimit(instanceID, v.Size); err != nil {
			return err
		}
		return writeJSON(p.folder.volumeFile(instanceID), v)
	}
	fs, err := fileSystemOf(v.Kind)
	if err != nil {
		return err
	}
	if err := growImage(p.folder.volumeImage(instanceID), v.Size+fs.overhead); err != nil {
		return err
	}
	return writeJSON(p.folder.volumeFile(instanceID), v)
}

// raiseLimit tells the agent, which minds the size of a folder. There may be no server yet.
func (p *Provider) raiseLimit(instanceID string, size int64) error {
	s, err := p.folder.readServer(instanceID)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s.VolumeLimitBytes = size
	return writeJSON(p.folder.serverFile(instanceID), s)
}

// growImage makes the image larger, and lets the device on which it is mounted see it.
func growImage(image string, size int64) error {
	f, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close() // what counts is synced below
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > size {
		return fmt.Errorf("the image has %d bytes already, more than %d", info.Size(), size)
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	attached, err := attachedLoop(image)
	if err != nil || attached == "" {
		return err
	}
	device, err := os.OpenFile(attached, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = unix.IoctlSetInt(int(device.Fd()), unix.LOOP_SET_CAPACITY, 0)
	return errors.Join(err, device.Close())
}
