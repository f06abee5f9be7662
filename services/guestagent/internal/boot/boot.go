package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/firstboot"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/identity"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/network"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/volume"
)

const (
	// databaseUser is the database's user and group. The number is the same in every image, since files on the volume
	// have it.
	databaseUser = 20000
	// volumeLimit is how long a volume may take to appear: it may be attached after the server was made.
	volumeLimit = 5 * time.Minute
	// interfaceLimit is how long a network interface may.
	interfaceLimit = 10 * time.Second
)

// VolumeFolder is the volume's mount point in the server's folder.
const VolumeFolder = "volume"

// Machine is where things are on the machine that boots.
type Machine struct {
	// Dir is the server's folder. Absolute.
	Dir string
	Log *slog.Logger
	// Sources are where the metadata come from.
	Sources Sources
	// Disks are the machine's.
	Disks volume.Disks
	// Run is a folder that is empty after each boot, and Resolver is resolv.conf. Absolute.
	Run, Resolver string
	// Patience is how long a network interface may take to appear.
	Patience time.Duration
}

// ThisMachine is the machine itself.
func ThisMachine(dir string, log *slog.Logger) Machine {
	return Machine{
		Dir: dir, Log: log, Sources: sources(dir, log), Disks: volume.Machine, Run: "/run/coffer-guest", Resolver: "/etc/resolv.conf",
		Patience: interfaceLimit,
	}
}

// Prepare does all that must be done before the agent can serve the folder.
func (m Machine) Prepare(ctx context.Context) error {
	if err := os.MkdirAll(m.Dir, 0o711); err != nil { //nolint:gosec // the database's user must pass through
		return fmt.Errorf("boot: %w", err)
	}
	told, err := m.Sources.read(ctx)
	if err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	guest := told.guest
	m.Log.Info("the machine boots", "instance_id", guest.InstanceID, "source", told.source)
	if err := m.setNetwork(ctx, told); err != nil {
		return fmt.Errorf("boot instance %s: %w", guest.InstanceID, err)
	}
	at, err := m.openVolume(ctx, guest)
	if err != nil {
		return fmt.Errorf("boot instance %s: %w", guest.InstanceID, err)
	}
	if err := m.describe(guest, at); err != nil {
		return fmt.Errorf("boot instance %s: %w", guest.InstanceID, err)
	}
	return nil
}

// setNetwork needs the management network alone: without it the agent has nowhere to listen. What else is wrong is told,
// and the database then says what it misses.
func (m Machine) setNetwork(ctx context.Context, told told) error {
	if len(told.network) == 0 {
		return nil
	}
	plan, err := network.Read(told.network)
	if err != nil {
		return err
	}
	host := network.Host{Marks: m.Run, Resolver: m.Resolver, Leases: filepath.Join(m.Dir, "leases.json"), Log: m.Log, Patience: m.Patience}
	applied := host.Apply(ctx, plan, told.guest.Address)
	if applied == nil {
		return nil
	}
	m.Log.Error("the network is not as it shall be", "instance_id", told.guest.InstanceID, "error", applied)
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return errors.Join(applied, err)
	}
	for _, a := range addresses {
		if n, is := a.(*net.IPNet); is && n.IP.String() == told.guest.ManagementAddress.String() {
			return nil
		}
	}
	return applied
}

func (m Machine) openVolume(ctx context.Context, guest firstboot.Guest) (volume.Mount, error) {
	ctx, cancel := context.WithTimeout(ctx, volumeLimit)
	defer cancel()
	device, err := m.Disks.Await(ctx, guest.VolumeID)
	if err != nil {
		return volume.Mount{}, err
	}
	at := volume.Mount{
		Device: device, Folder: filepath.Join(m.Dir, VolumeFolder), VolumeID: guest.VolumeID, Owner: guest.InstanceID,
		Note: filepath.Join(m.Dir, "formatting"),
	}
	m.Log.Info("the volume was found", "instance_id", guest.InstanceID, "device", device)
	return at, at.Open(ctx)
}

// describe writes what the agent reads, server.json last.
func (m Machine) describe(guest firstboot.Guest, at volume.Mount) error {
	s := settings.Server{
		InstanceID: guest.InstanceID, Address: guest.Address.String(),
		AgentListen: net.JoinHostPort(guest.ManagementAddress.String(), strconv.Itoa(int(guest.AgentPort))),
		DataDir:     at.Folder, StateDir: at.StateDir(), TemplatesDir: filepath.Join(m.Dir, "templates"),
		RunAsUID: databaseUser, RunAsGID: databaseUser, Version: guest.Version,
		MemoryBytes: uint64(guest.MemoryMiB) << 20, //nolint:gosec // validated
		Folder:      m.Dir,
	}
	for _, folder := range []string{s.BootstrapDir(), s.IdentityDir()} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	err := identity.Begin(identity.Bootstrap{
		CA: []byte(guest.Bootstrap.CAPEM), Certificate: []byte(guest.Bootstrap.CertificatePEM), Key: []byte(guest.Bootstrap.KeyPEM),
	}, s.BootstrapDir(), s.IdentityDir())
	if err != nil {
		return err
	}
	return durable.WriteJSON(filepath.Join(m.Dir, settings.FileName), s)
}
