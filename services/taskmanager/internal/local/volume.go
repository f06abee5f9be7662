package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

const gib = 1 << 30

// volumeType is the only one.
const volumeType = "local"

// volumeFile says what a volume is. It is written last: without it there is no volume.
type volumeFile struct {
	// Size is in bytes.
	Size int64 `json:"size"`
	// FileSystem says that it is an image to be mounted; else it is a plain folder, whose size the agent minds.
	FileSystem bool `json:"file_system"`
	// Kind is the file system's; see fileSystemOf.
	Kind string `json:"kind,omitempty"`
}

func (f *folder) volume(instanceID string) string { return filepath.Join(f.volumes, instanceID) }
func (f *folder) volumeFile(instanceID string) string {
	return filepath.Join(f.volume(instanceID), "volume.json")
}

func (f *folder) volumeImage(instanceID string) string {
	return filepath.Join(f.volume(instanceID), "image")
}

// volumeData is the mount point, or the plain folder.
func (f *folder) volumeData(instanceID string) string {
	return filepath.Join(f.volume(instanceID), "data")
}

// readVolume fails with fs.ErrNotExist when there is none, or a half-made one.
func (f *folder) readVolume(instanceID string) (volumeFile, error) {
	var v volumeFile
	err := readJSON(f.volumeFile(instanceID), &v)
	return v, err
}

// CreateVolume makes a file system in a file, or a plain folder where file systems cannot be mounted.
func (p *Provider) CreateVolume(ctx context.Context, spec step.VolumeSpec) (step.Volume, error) {
	if err := p.checkVolume(spec); err != nil {
		return step.Volume{}, err
	}
	release, err := p.folder.locks.instance(ctx, spec.InstanceID)
	if err != nil {
		return step.Volume{}, err
	}
	defer release()

	v, err := p.folder.readVolume(spec.InstanceID)
	if errors.Is(err, fs.ErrNotExist) {
		v, err = p.makeVolume(ctx, spec)
	}
	if err != nil {
		return step.Volume{}, err
	}
	return step.Volume{ID: spec.InstanceID, InstanceID: spec.InstanceID, Size: int(v.Size / gib)}, nil
}

func (p *Provider) checkVolume(spec step.VolumeSpec) error {
	if spec.Type != "" && spec.Type != volumeType && spec.Type != p.folder.identity.VolumeTypeID {
		return errs.New(errs.Invalid, "VOLUME_TYPE", "The local provider has one volume type, %s; %s is not known.",
			volumeType, spec.Type)
	}
	if spec.Size < 1 {
		return errs.New(errs.Invalid, "VOLUME_SIZE", "A volume has at least 1 GiB.")
	}
	return errors.Join(checkZone(spec.AvailabilityZone), checkID(spec.InstanceID))
}

func (p *Provider) makeVolume(ctx context.Context, spec step.VolumeSpec) (volumeFile, error) {
	v := volumeFile{Size: int64(spec.Size) * gib, FileSystem: p.mounts, Kind: p.fileSystem.name}
	if err := p.checkSpace(v.Size); err != nil {
		return v, err
	}
	dir, data := p.folder.volume(spec.InstanceID), p.folder.volumeData(spec.InstanceID)
	err := makeDir(dir, 0o711)
	if err == nil {
		err = makeDir(data, 0o711)
	}
	if err == nil && v.FileSystem {
		err = p.fileSystem.create(ctx, p.folder.volumeImage(spec.InstanceID), v.Size)
	}
	if err == nil {
		err = writeJSON(p.folder.volumeFile(spec.InstanceID), v)
	}
	if err == nil {
		err = syncDir(p.folder.volumes)
	}
	if err != nil {
		return v, hostFailure("VOLUME", "The volume could not be made", err)
	}
	return v, nil
}

// spaceMargin is what a new volume must leave of the host's disk, in bytes: the control plane and the servers' logs have
// to be written too.
const spaceMargin = 256 << 20

// checkSpace refuses what the disk could not hold even now; volumes take their room only as they fill.
func (p *Provider) checkSpace(size int64) error {
	var disk unix.Statfs_t
	if err := unix.Statfs(p.folder.volumes, &disk); err != nil {
		return hostFailure("VOLUME", "The disk cannot be looked at", err)
	}
	free := int64(disk.Bavail) * disk.Bsize //nolint:gosec // no disk is that large
	if free < size+spaceMargin {
		return noSpace("A volume of %d GiB does not fit: the host's disk has %.2f GiB left, and %.2f must stay free.",
			size/gib, float64(free)/gib, float64(spaceMargin)/gib)
	}
	return nil
}

func noSpace(format string, args ...any) *errs.Error {
	return errs.New(errs.OverQuota, "NO_SPACE", format, args...)
}

// hostFailure gives a failure of the host the kind and the sentence that go to users.
func hostFailure(reason, sentence string, err error) error {
	var known *errs.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return noSpace("%s: the host's disk is full.", sentence).Because(err)
	}
	return errs.New(errs.Internal, reason, "%s: %v", sentence, err).Because(err)
}

// attachVolume brings the volume to its place, if it is not there.
func (p *Provider) attachVolume(instanceID string) error {
	v, err := p.folder.readVolume(instanceID)
	if errors.Is(err, fs.ErrNotExist) {
		return errs.New(errs.NotFound, "VOLUME", "The instance has no volume.").Because(err)
	}
	if err != nil || !v.FileSystem {
		return err
	}
	data := p.folder.volumeData(instanceID)
	mounted, err := isMounted(data)
	if err != nil || mounted {
		return err
	}
	fs, err := fileSystemOf(v.Kind)
	if err == nil {
		err = fs.mount(p.folder.volumeImage(instanceID), data)
	}
	if err != nil {
		return hostFailure("VOLUME", "The volume could not be mounted", fmt.Errorf("volume %s: %w", instanceID, err))
	}
	return passable(data)
}

// detachVolume needs the server's processes to be gone.
func (p *Provider) detachVolume(ctx context.Context, instanceID string) error {
	return unmount(ctx, p.folder.volumeData(instanceID))
}

// DeleteVolume destroys the volume, also a half-made one.
func (p *Provider) DeleteVolume(ctx context.Context, instanceID string) error {
	release, err := p.folder.locks.instance(ctx, instanceID)
	if err != nil {
		return err
	}
	defer release()

	if _, err := p.folder.readServer(instanceID); err == nil {
		return errs.New(errs.WrongState, "VOLUME_IN_USE", "The volume belongs to a server that exists.")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := removeFile(p.folder.volumeFile(instanceID)); err != nil {
		return err
	}
	err = p.detachVolume(ctx, instanceID)
	if errors.Is(err, errBusy) {
		// A shell that somebody left standing in it does not hold a deletion up; the rest goes with the shell.
		err = unix.Unmount(p.folder.volumeData(instanceID), unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	}
	if err == nil {
		err = os.RemoveAll(p.folder.volume(instanceID))
	}
	if err == nil {
		err = syncDir(p.folder.volumes)
	}
	if err != nil {
		return hostFailure("VOLUME", "The volume could not be removed", err)
	}
	return nil
}
