package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/serverevent"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

var _ step.Provider = (*Provider)(nil)

// ErrStopServers as the cause with which Run's context ends makes Run stop all servers in order, like a host that
// shuts down; the next Run brings them back. With any other cause they go on serving.
var ErrStopServers = errors.New("stop the servers")

// guestAgentProgram is the name of the agent's program.
const guestAgentProgram = "coffer-guestagent"

// Provider is one host.
type Provider struct {
	cfg        Config
	log        *slog.Logger
	folder     *folder
	guestAgent string
	// separateUsers: every server's database has a numeric user of its own. Needs root.
	separateUsers bool
	// mounts: new volumes are file systems of their own. Needs root, and a host that allows it.
	mounts bool
	// fileSystem is what new volumes are made with, if they are mounted.
	fileSystem fileSystem
	cgroups    *cgroups
	offers     *offers
	templates  *templates
	supervisor *supervisor
	events     *serverevent.Queue
	children   children
}

// Open makes what is missing of the data folder and finds out what the host allows, which it says in the log.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Provider, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("local provider: %w", err)
	}
	p := &Provider{cfg: cfg, log: log, separateUsers: os.Geteuid() == 0, events: serverevent.New()}
	var err error
	if p.guestAgent, err = findGuestAgent(cfg.GuestAgent); err != nil {
		return nil, err
	}
	if p.folder, err = openFolder(cfg, p.separateUsers); err != nil {
		return nil, fmt.Errorf("local provider: open %s: %w", cfg.DataDir, err)
	}
	if err := p.checkUsers(); err != nil {
		return nil, fmt.Errorf("local provider: %w", err)
	}
	p.findLimits(ctx)
	p.offers = &offers{places: cfg.places(p.guestAgent, log)}
	p.templates = &templates{
		dir: p.folder.templates, locks: p.folder.locks, guestAgent: p.guestAgent, offers: p.offers,
		limit: cfg.TemplateLimit, log: log,
	}
	p.supervisor = newSupervisor(p)
	return p, nil
}

// findGuestAgent does not ask whether the program is there: without it no server can be made, and all else can.
func findGuestAgent(configured string) (string, error) {
	if configured != "" {
		return configured, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find %s: %w", guestAgentProgram, err)
	}
	return filepath.Join(filepath.Dir(self), guestAgentProgram), nil
}

// findLimits tries what only some hosts allow.
func (p *Provider) findLimits(ctx context.Context) {
	if !p.separateUsers {
		p.log.Warn("not running as root: databases run as this user, in one domain of trust, and volumes are folders")
	} else if fs, err := findFileSystem(ctx, filepath.Dir(p.folder.addresses)); err != nil {
		p.log.Warn("volumes are folders: this host does not let us mount file systems that grow", "error", err)
	} else {
		p.mounts, p.fileSystem = true, fs
	}
	if !p.cfg.BoundMemory {
		return
	}
	groups, err := openCgroups(cgroupRoot, p.folder.identity.ID)
	if err != nil {
		p.log.Info("servers are not held to their flavor's memory", "error", err)
		return
	}
	p.cgroups = groups
}

// Events tells what becomes of servers by themselves.
func (p *Provider) Events() <-chan step.ServerEvent { return p.events.Out() }

// Run makes templates, brings servers back and watches them until ctx ends; see ErrStopServers.
func (p *Provider) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	wait.Go(func() { p.templates.makeAll(ctx) })
	wait.Go(func() { p.events.Run(ctx) })
	err := p.supervisor.run(ctx)
	cancel(err)
	wait.Wait()
	p.children.release()
	if err != nil {
		return fmt.Errorf("local provider: %w", err)
	}
	return nil
}
