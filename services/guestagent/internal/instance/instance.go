package instance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/process"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/role"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/transfer"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/volume"
)

// Config is what an instance needs.
type Config struct {
	Server settings.Server
	Kinds  engine.Kinds
	Hub    *report.Hub
	Log    *slog.Logger
	// Copies serves copies of the database to its replicas.
	Copies *transfer.Server
	// Identity is the guest's, for which other guests have copies.
	Identity *pki.Identity
	// Launcher starts the database's process. Nil: as the agent's child.
	Launcher process.Launcher
}

// Instance is the server's database.
type Instance struct {
	Config

	roles     *role.Keeper
	upgrading *upgrading
	// roleTurn is held by who brings the server to another role.
	roleTurn turn
	// installing is held by who makes the data directory; foreseen, which goes with it, is the engine that has done so
	// before it was asked for.
	installing turn
	foreseen   engine.Engine
	// remeasure asks for the volume's use now.
	remeasure chan struct{}

	mu    sync.Mutex
	parts *parts
	// prepared is closed when there are parts.
	prepared chan struct{}
}

// parts exist from Prepare on and stay.
type parts struct {
	manager string
	gate    *gate
	loop    *process.Loop
}

// chosen is what Prepare was asked for, on disk.
type chosen struct {
	Manager   string `json:"manager"`
	Version   string `json:"version"`
	MemoryMiB int    `json:"memory_mib"`
}

// Open finds what a former agent prepared.
func Open(ctx context.Context, config Config) (*Instance, error) {
	roles, err := role.Open(config.Server.AgentDir())
	if err != nil {
		return nil, err
	}
	upgrading, err := openUpgrading(config.Server.AgentDir())
	if err != nil {
		return nil, err
	}
	i := &Instance{
		Config: config, roles: roles, upgrading: upgrading, roleTurn: newTurn(), installing: newTurn(),
		remeasure: make(chan struct{}, 1), prepared: make(chan struct{}),
	}
	var c chosen
	switch err := durable.ReadJSON(i.chosenPath(), &c); {
	case errors.Is(err, fs.ErrNotExist):
		return i, nil
	case err != nil:
		return nil, err
	}
	e, err := i.openEngine(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open the engine of the prepared database: %w", err)
	}
	// An agent that is newer than its database's start may want other settings; they hold from the next start.
	if err := e.Configure(c.MemoryMiB); err != nil {
		return nil, err
	}
	return i, i.assemble(c.Manager, e)
}

// openEngine opens the engine that the data are of. While an upgrade is under way that is the version that the provider
// built the server for, or the one of the two that is there.
func (i *Instance) openEngine(ctx context.Context, c chosen) (engine.Engine, error) {
	versions := []string{c.Version}
	if state := i.upgrading.state(); state.Phase != none {
		versions = []string{state.To, state.From}
		if i.Server.Version != "" {
			versions = []string{i.Server.Version}
		}
	}
	var faults []error
	for _, version := range versions {
		e, err := i.Kinds.Open(ctx, c.Manager, version, i.Server)
		if err == nil {
			return e, nil
		}
		faults = append(faults, err)
	}
	return nil, errors.Join(faults...)
}

// Run owns the database process and watches its volume until the context ends; the database runs on.
func (i *Instance) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-i.prepared:
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, err := i.get()
	if err != nil {
		return err
	}
	watch := volume.Watch{
		Folder: i.Server.DataDir, Limit: i.volumeLimit, SetReadOnly: p.gate.hold, Hub: i.Hub, Log: i.Log, Now: i.remeasure,
	}
	var beside sync.WaitGroup
	beside.Go(func() { watch.Run(ctx) })
	beside.Go(func() { i.keepFrozen(ctx) })
	beside.Go(func() { i.trimHistory(ctx) })
	defer beside.Wait()
	defer cancel()
	return p.loop.Run(ctx)
}

// AwaitAdoption waits until it is known whether a prepared database runs, so that nobody is told less than the former
// agent knew.
func (i *Instance) AwaitAdoption(ctx context.Context) {
	loop, err := i.Loop()
	if err != nil {
		return
	}
	select {
	case <-loop.Adopted():
	case <-ctx.Done():
	}
}

// Loop owns the database process. WrongState: the database is not prepared.
func (i *Instance) Loop() (*process.Loop, error) {
	p, err := i.get()
	if err != nil {
		return nil, err
	}
	return p.loop, nil
}

// Halt stops the database, if there is one, because the machine goes down.
func (i *Instance) Halt(ctx context.Context) error {
	p, err := i.get()
	if err != nil {
		return nil //nolint:nilerr // nothing is prepared, so nothing runs
	}
	return p.loop.RequestAndWaitHalt(ctx)
}

// Manager and capabilities of the engine; empty before Prepare.
func (i *Instance) Manager() (manager string, capabilities []string) {
	p, err := i.get()
	if err != nil {
		return "", nil
	}
	return p.manager, p.gate.Capabilities()
}

func (i *Instance) get() (*parts, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.parts == nil {
		return nil, errs.New(errs.WrongState, "NOT_PREPARED", "The database is not prepared.")
	}
	return i.parts, nil
}

func (i *Instance) assemble(manager string, e engine.Engine) error {
	g := newGate(e, i.roles, i.upgrading)
	loop, err := process.New(process.Config{
		StatePath: filepath.Join(i.Server.AgentDir(), "process.json"), Hub: i.Hub, Log: i.Log, Launcher: i.Launcher,
	}, g)
	if err != nil {
		return err
	}
	i.Hub.Update(func(s *report.Status) { s.Version = e.Version() })
	i.mu.Lock()
	defer i.mu.Unlock()
	i.parts = &parts{manager: manager, gate: g, loop: loop}
	close(i.prepared)
	return nil
}

// rechoose changes what the next agent finds.
func (i *Instance) rechoose(change func(*chosen)) error {
	var c chosen
	if err := durable.ReadJSON(i.chosenPath(), &c); err != nil {
		return err
	}
	change(&c)
	return durable.WriteJSON(i.chosenPath(), c)
}

func (i *Instance) chosenPath() string { return filepath.Join(i.Server.AgentDir(), "instance.json") }

// volumeLimit reads the provider's file again: a volume may have grown.
func (i *Instance) volumeLimit() (uint64, error) {
	now, err := settings.Read(i.Server.Folder)
	return now.VolumeLimitBytes, err
}
