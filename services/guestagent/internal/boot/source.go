package boot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/firstboot"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/metadata"
)

const (
	// driveLimit is how long a config drive may take to appear.
	driveLimit = 10 * time.Second
	drivePause = 200 * time.Millisecond
	// serviceLimit is how long a machine that knows nothing asks the metadata service.
	serviceLimit = 2 * time.Minute
	servicePause = 2 * time.Second
)

// Sources are where a machine is told what it is: its config drive, else the metadata service, else what it was told the
// last time.
type Sources struct {
	// Sys and Dev are /sys and /dev, and Service is the metadata service's URL.
	Sys, Dev, Service string
	// Kept is the file with what was told the last time. Absolute.
	Kept string
	Log  *slog.Logger
	// DriveLimit is for tests. 10 s.
	DriveLimit time.Duration
}

func sources(dir string, log *slog.Logger) Sources {
	return Sources{
		Sys: "/sys", Dev: "/dev", Service: metadata.Service, Kept: filepath.Join(dir, "machine.json"), Log: log, DriveLimit: driveLimit,
	}
}

// told is what a machine is told, and where.
type told struct {
	guest   firstboot.Guest
	network []byte
	source  string
}

// kept is on the machine's own disk. The bootstrap key in it has been spent, or was worth an hour.
type kept struct {
	User    []byte `json:"user_data"`
	Network []byte `json:"network_data"`
}

func (s Sources) read(ctx context.Context) (told, error) {
	data, source, err := s.find(ctx)
	if err != nil {
		return told{}, err
	}
	guest, err := firstboot.Decode(data.User)
	if err != nil {
		return told{}, fmt.Errorf("%s: %w", source, err)
	}
	if err := durable.WriteJSON(s.Kept, kept(data)); err != nil {
		return told{}, err
	}
	return told{guest: guest, network: data.Network, source: source}, nil
}

func (s Sources) find(ctx context.Context) (data metadata.Data, source string, err error) {
	var last kept
	switch err := durable.ReadJSON(s.Kept, &last); {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		return data, "", err
	}
	knows := len(last.User) > 0
	data, err = s.fromDrive(ctx, knows)
	if err == nil {
		return data, "config drive", nil
	}
	if !errors.Is(err, metadata.ErrNone) {
		return data, "", err
	}
	s.Log.Warn("there is no config drive; asking the metadata service", "error", err)
	if data, err = s.fromService(ctx, knows); err == nil {
		return data, "metadata service", nil
	}
	if knows {
		s.Log.Warn("there is no metadata; the machine is what it was", "error", err)
		return metadata.Data(last), "former boot", nil
	}
	return data, "", err
}

// fromDrive waits for a drive only if nothing else is known.
func (s Sources) fromDrive(ctx context.Context, knows bool) (data metadata.Data, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.DriveLimit)
	defer cancel()
	for {
		data, err = metadata.FromDrive(s.Sys, s.Dev)
		if !errors.Is(err, metadata.ErrNone) || knows || !pause.For(ctx, drivePause) {
			return data, err
		}
	}
}

func (s Sources) fromService(ctx context.Context, knows bool) (data metadata.Data, err error) {
	ctx, cancel := context.WithTimeout(ctx, serviceLimit)
	defer cancel()
	for {
		data, err = metadata.FromService(ctx, s.Service)
		if err == nil || knows || !pause.For(ctx, servicePause) {
			return data, err
		}
	}
}
