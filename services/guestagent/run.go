package guestagent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine/mariadb"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine/postgresql"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/identity"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/instance"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/logfile"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/operation"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/server"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/transfer"
)

const (
	// farewell is how long running calls may take to end when the agent does.
	farewell = time.Second
	// haltLimit is more than the loop takes before it kills the database.
	haltLimit = 5 * time.Minute
)

// engines are those an agent knows.
var engines = engine.Kinds{mariadb.Manager: mariadb.Open, postgresql.Manager: postgresql.Open}

// Run serves a server's folder until the context ends, which leaves the database running, or until power off, which
// does not.
func Run(ctx context.Context, config Config) error {
	if err := config.Validate(); err != nil {
		return err
	}
	a, err := open(ctx, config)
	if err != nil {
		return err
	}
	return a.run(ctx)
}

// agent is one life.
type agent struct {
	Config

	settings settings.Server
	instance *instance.Instance
	journal  *operation.Journal
	server   *server.Server
	copies   *transfer.Server
	ending   chan struct{}
}

func open(ctx context.Context, config Config) (*agent, error) {
	s, err := settings.Read(config.Dir)
	if err != nil {
		return nil, err
	}
	if err := s.MakeFolders(); err != nil {
		return nil, fmt.Errorf("make the server's folders: %w", err)
	}
	guest, err := identity.Open(s.InstanceID, s.BootstrapDir(), s.IdentityDir())
	if err != nil {
		return nil, err
	}
	hub := report.NewHub(report.Status{Service: status.ServiceNew})
	copies := transfer.NewServer(guest.TLS(), net.JoinHostPort(s.Address, strconv.Itoa(transfer.Port)), config.Log)
	inst, err := instance.Open(ctx, instance.Config{
		Server: s, Kinds: engines, Hub: hub, Log: config.Log, Copies: copies, Identity: guest.TLS(),
		Launcher: config.launcher,
	})
	if err != nil {
		return nil, err
	}
	journal, err := operation.Open(filepath.Join(s.AgentDir(), "operations.log"), config.Log)
	if err != nil {
		return nil, err
	}
	ending := make(chan struct{})
	return &agent{
		Config: config, settings: s, instance: inst, journal: journal, copies: copies, ending: ending,
		server: &server.Server{
			Version: config.Version, Guest: guest, Instance: inst, Journal: journal, Hub: hub, Log: config.Log, Ending: ending,
		},
	}, nil
}

func (a *agent) run(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.settings.AgentListen)
	if err != nil {
		a.journal.Close()
		return err
	}
	calls := a.server.Register()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.instance.Run(ctx) })
	group.Go(func() error {
		a.instance.AwaitAdoption(ctx)
		if err := calls.Serve(listener); !errors.Is(err, grpc.ErrServerStopped) {
			return err
		}
		return nil
	})
	group.Go(func() error { return a.awaitEnd(ctx, calls) })
	group.Go(func() error {
		if err := a.instance.Foresee(ctx); err != nil && ctx.Err() == nil {
			a.Log.Warn("the data directory could not be made before it is asked for", "manager", a.settings.Manager, "error", err)
		}
		return nil
	})
	group.Go(func() error { logfile.Keep(ctx, a.settings.LogDir(), a.Log); return nil })
	group.Go(func() error {
		if err := mariadb.Warm(ctx, engine.ProgramsOf(a.settings), a.settings.TemplatesDir); err != nil && ctx.Err() == nil {
			a.Log.Warn("the engine's programs are not there yet", "manager", mariadb.Manager, "error", err)
		}
		return nil
	})
	a.Log.Info("the guest agent serves", "instance_id", a.settings.InstanceID, "address", listener.Addr().String())
	err = group.Wait()
	if errors.Is(err, errPowerOff) {
		return nil
	}
	return err
}

// errPowerOff ends the agent's other parts.
var errPowerOff = errors.New("the machine goes down")

func (a *agent) awaitEnd(ctx context.Context, calls *grpc.Server) error {
	var off bool
	select {
	case <-ctx.Done():
	case <-a.PowerOff:
		off = true
	}
	a.Log.Info("the guest agent ends", "database_stops", off)
	close(a.ending)
	a.copies.Close()
	a.journal.Close()
	stop(calls)
	if !off {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, haltLimit)
	defer cancel()
	return errors.Join(errPowerOff, a.instance.Halt(ctx))
}

// stop lets running calls end, for a while.
func stop(calls *grpc.Server) {
	timer := time.AfterFunc(farewell, calls.Stop)
	defer timer.Stop()
	calls.GracefulStop()
}
