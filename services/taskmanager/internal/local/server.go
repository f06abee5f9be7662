package local

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// zone is the only availability zone.
const zone = "local"

// serverFile is server.json, what an agent knows of its machine. It is written last: with it the server is one that
// shall run.
type serverFile struct {
	InstanceID  string `json:"instance_id"`
	Address     string `json:"address"`
	AgentListen string `json:"agent_listen"`
	// DataDir is where the volume is, absolute.
	DataDir string `json:"data_dir"`
	// VolumeLimitBytes is 0 when the file system itself is the limit.
	VolumeLimitBytes int64 `json:"volume_limit_bytes"`
	// RunAsUID and RunAsGID are the database's user; 0 means the agent's own.
	RunAsUID     int    `json:"run_as_uid"`
	RunAsGID     int    `json:"run_as_gid"`
	TemplatesDir string `json:"templates_dir"`
	// EngineRoot and EnginePrefix say where the database's programs are; see place.
	EngineRoot   string `json:"engine_root"`
	EnginePrefix string `json:"engine_prefix"`
	// Version is the exact version of the engine that the server was built for.
	Version string `json:"version"`
	// Manager is set where the server is to get an empty database, which its agent then begins to make at once.
	Manager     string `json:"manager,omitempty"`
	MemoryBytes int64  `json:"memory_bytes"`
	// FormerMemoryBytes is the size from which the server was resized, until that is confirmed or reverted.
	FormerMemoryBytes int64 `json:"former_memory_bytes,omitempty"`
	// Off says that the server was switched off and shall not run until it is switched on.
	Off bool `json:"off,omitempty"`
}

func (f *folder) server(instanceID string) string { return filepath.Join(f.servers, instanceID) }
func (f *folder) serverFile(instanceID string) string {
	return filepath.Join(f.server(instanceID), "server.json")
}

// agentRecord finds the server's agent again.
func (f *folder) agentRecord(instanceID string) string {
	return filepath.Join(f.server(instanceID), "agent.process")
}

// readServer fails with fs.ErrNotExist when there is none, or a half-made one.
func (f *folder) readServer(instanceID string) (serverFile, error) {
	var s serverFile
	err := readJSON(f.serverFile(instanceID), &s)
	return s, err
}

// serverIDs are the instances whose servers shall run.
func (f *folder) serverIDs() ([]string, error) {
	entries, err := os.ReadDir(f.servers)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, entry := range entries {
		if checkID(entry.Name()) != nil {
			continue
		}
		if _, err := os.Lstat(f.serverFile(entry.Name())); err == nil {
			ids = append(ids, entry.Name())
		}
	}
	return ids, nil
}

// CreateServer writes the server's folder and starts its agent.
func (p *Provider) CreateServer(ctx context.Context, spec step.ServerSpec) (step.Server, error) {
	if err := p.checkServer(spec); err != nil {
		return step.Server{}, err
	}
	if err := p.templates.await(ctx, spec.Manager, spec.Version); err != nil {
		return step.Server{}, err
	}
	release, err := p.folder.locks.instance(ctx, spec.InstanceID)
	if err != nil {
		return step.Server{}, err
	}
	defer release()

	s, err := p.folder.readServer(spec.InstanceID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s, err = p.startNewServer(ctx, spec)
	case err == nil:
		if err = p.renewBootstrap(ctx, spec); err == nil {
			err = p.startServer(ctx, s)
		}
	}
	if err != nil {
		return step.Server{}, hostFailure("SERVER", "The server could not be made", err)
	}
	p.supervisor.serverMade()
	return s.asServer(status.ServerActive), nil
}

// startNewServer mounts the volume while it writes the server's folder: each of the two takes its time on the disk.
// Nothing of a server runs before its folder is written, so nobody looks for it.
func (p *Provider) startNewServer(ctx context.Context, spec step.ServerSpec) (s serverFile, err error) {
	var making errgroup.Group
	making.Go(func() error { return p.attachVolume(spec.InstanceID) })
	making.Go(func() (err error) { s, err = p.makeServer(spec); return err })
	if err := making.Wait(); err != nil {
		return s, err
	}
	if err := p.probeServer(ctx, s); err != nil {
		return s, err
	}
	return s, p.launch(s)
}

func (s serverFile) asServer(now status.Server) step.Server {
	return step.Server{ID: s.InstanceID, InstanceID: s.InstanceID, Status: string(now), GuestAddress: s.AgentListen}
}

func (p *Provider) checkServer(spec step.ServerSpec) error {
	if _, known := dbserver.Of(spec.Manager); !known {
		return noDatastore(spec.Manager)
	}
	if spec.Image != "" {
		return errs.New(errs.Invalid, "IMAGE", "The local provider has no images; a server cannot be built from one.")
	}
	return errors.Join(checkZone(spec.AvailabilityZone), checkID(spec.InstanceID))
}

func checkZone(name string) error {
	if name != "" && name != zone {
		return errs.New(errs.Invalid, "AVAILABILITY_ZONE", "The local provider has one availability zone, %s; %s is not known.",
			zone, name)
	}
	return nil
}

// makeServer writes everything an agent needs, server.json last.
func (p *Provider) makeServer(spec step.ServerSpec) (serverFile, error) {
	ip, err := p.folder.address(spec.InstanceID)
	if errors.Is(err, fs.ErrNotExist) {
		return serverFile{}, errs.New(errs.NotFound, "ADDRESS", "The instance has no address.").Because(err)
	}
	if err != nil {
		return serverFile{}, err
	}
	volume, err := p.folder.readVolume(spec.InstanceID)
	if errors.Is(err, fs.ErrNotExist) {
		return serverFile{}, errs.New(errs.NotFound, "VOLUME", "The instance has no volume.").Because(err)
	}
	if err != nil {
		return serverFile{}, err
	}
	s := p.describeServer(spec, ip, volume)
	if spec.ReplicaOf == "" {
		s.Manager = spec.Manager
	}
	if err := p.makeServerFolder(s); err != nil {
		return s, err
	}
	if err := p.writeBootstrap(spec); err != nil {
		return s, err
	}
	if err := writeJSON(p.folder.serverFile(s.InstanceID), s); err != nil {
		return s, err
	}
	return s, syncDir(p.folder.servers)
}

func (p *Provider) describeServer(spec step.ServerSpec, ip netip.Addr, volume volumeFile) serverFile {
	at, _ := p.offers.place(spec.Manager, spec.Version) // known, since its template was awaited
	s := serverFile{
		InstanceID:   spec.InstanceID,
		Address:      ip.String(),
		AgentListen:  netip.AddrPortFrom(ip, step.AgentPort).String(),
		DataDir:      p.folder.volumeData(spec.InstanceID),
		TemplatesDir: p.folder.templates,
		EngineRoot:   at.root,
		EnginePrefix: at.prefix,
		Version:      spec.Version,
		MemoryBytes:  int64(spec.Flavor.RAM) << 20,
	}
	if !volume.FileSystem {
		s.VolumeLimitBytes = volume.Size
	}
	if p.separateUsers {
		s.RunAsUID = p.userOf(ip)
		s.RunAsGID = s.RunAsUID
	}
	return s
}

func (p *Provider) makeServerFolder(s serverFile) error {
	home := p.folder.server(s.InstanceID)
	// The rest is the agent's to make.
	err := errors.Join(
		makeDir(home, 0o711), makeDir(filepath.Join(home, "bootstrap"), 0o700), makeDir(filepath.Join(home, "log"), 0o755))
	if err != nil {
		return err
	}
	// A link, so that whatever removes the server's folder never walks into the data.
	err = os.Symlink(s.DataDir, filepath.Join(home, "data"))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (p *Provider) bootstrapFile(instanceID, name string) string {
	return filepath.Join(p.folder.server(instanceID), "bootstrap", name)
}

// writeBootstrap leaves what a config drive would hold, the key last: with it the bootstrap is whole.
func (p *Provider) writeBootstrap(spec step.ServerSpec) error {
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{"ca.pem", spec.Bootstrap.CAPEM}, {"cert.pem", spec.Bootstrap.CertificatePEM}, {"key.pem", spec.Bootstrap.KeyPEM},
	} {
		if err := writeFile(p.bootstrapFile(spec.InstanceID, file.name), file.content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// renewBootstrap gives an agent that has not enrolled the new bootstrap identity, since its former one may have
// expired. Such an agent holds nothing worth keeping. One that has enrolled has removed the key, and is left alone.
func (p *Provider) renewBootstrap(ctx context.Context, spec step.ServerSpec) error {
	key, err := os.ReadFile(p.bootstrapFile(spec.InstanceID, "key.pem"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || bytes.Equal(key, spec.Bootstrap.KeyPEM) {
		return err
	}
	if err := p.killServer(ctx, spec.InstanceID); err != nil {
		return err
	}
	return p.writeBootstrap(spec)
}

// Server says how the server is. It is ACTIVE while its agent or its database lives, and BUILD while it waits to be
// brought back.
func (p *Provider) Server(_ context.Context, instanceID string) (step.Server, error) {
	if err := checkID(instanceID); err != nil {
		return step.Server{}, err
	}
	s, err := p.folder.readServer(instanceID)
	if errors.Is(err, fs.ErrNotExist) {
		return step.Server{}, errs.New(errs.NotFound, "SERVER", "The instance has no server.").Because(err)
	}
	if err != nil {
		return step.Server{}, err
	}
	lives, err := p.serverLives(instanceID)
	if err != nil {
		return step.Server{}, err
	}
	switch {
	case lives:
		return s.asServer(status.ServerActive), nil
	case s.Off:
		down := s.asServer(status.ServerShutdown)
		down.Fault = "it was switched off"
		return down, nil
	case p.supervisor.bringingBack.Load():
		return s.asServer(status.ServerBuild), nil
	}
	down := s.asServer(status.ServerShutdown)
	down.Fault, err = p.agentFault(instanceID)
	return down, err
}

// DeleteServer removes the server, also a half-made one: its processes, its mount and its folder.
func (p *Provider) DeleteServer(ctx context.Context, instanceID string) error {
	release, err := p.folder.locks.instance(ctx, instanceID)
	if err != nil {
		return err
	}
	defer release()

	if err := removeFile(p.folder.serverFile(instanceID)); err != nil {
		return err
	}
	if err := p.killServer(ctx, instanceID); err != nil {
		return hostFailure("SERVER", "The server's processes could not be ended", err)
	}
	err = p.detachIdle(ctx, instanceID)
	if err == nil {
		err = os.RemoveAll(p.folder.server(instanceID))
	}
	if err == nil {
		err = syncDir(p.folder.servers)
	}
	if err != nil {
		return hostFailure("SERVER", "The server could not be removed", err)
	}
	return nil
}
