package instance

import (
	"context"
	"fmt"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
)

// Plan is what Prepare shall make.
type Plan struct {
	Manager string
	// Version is an exact version or its series; empty takes what is there.
	Version string
	// MemoryMiB is the flavor's memory; 0 takes the server's.
	MemoryMiB int
	Databases []engine.Database
	Users     []engine.User
}

// Prepare makes the data directory, starts the database and creates its first databases and users. It may be repeated
// after a crash at any point.
func (i *Instance) Prepare(ctx context.Context, plan Plan, tell func(message string)) error {
	i.building()
	err := i.prepare(ctx, plan, tell)
	if err != nil {
		i.failed()
	}
	return err
}

func (i *Instance) prepare(ctx context.Context, plan Plan, tell func(message string)) error {
	p, err := i.choose(ctx, plan, tell)
	if err != nil {
		return err
	}
	tell("starting the database")
	if err := p.loop.RequestAndWaitStart(ctx); err != nil {
		return err
	}
	if len(plan.Databases)+len(plan.Users) > 0 {
		tell("creating databases and users")
	}
	if err := p.gate.CreateDatabases(ctx, plan.Databases); err != nil {
		return err
	}
	if err := p.gate.CreateUsers(ctx, plan.Users); err != nil {
		return err
	}
	return p.gate.Settle(ctx)
}

// choose installs an engine, or finds that an interrupted Prepare has.
func (i *Instance) choose(ctx context.Context, plan Plan, tell func(message string)) (*parts, error) {
	if p, err := i.get(); err == nil {
		if p.manager != plan.Manager {
			return nil, errs.New(errs.Conflict, "ALREADY_PREPARED", "The database is prepared as %s.", p.manager)
		}
		return p, nil
	}
	tell("making the data directory")
	var made *parts
	err := i.installing.take(ctx, func() (err error) {
		e := i.foreseen
		if e == nil || plan.Manager != i.Server.Manager || plan.Version != i.Server.Version {
			if e, err = i.install(ctx, plan); err != nil {
				return err
			}
		}
		made, err = i.keep(e, plan)
		return err
	})
	return made, err
}

// Foresee installs the engine that the provider has named. The agent does so while it is enrolled: the first Prepare has
// to wait that much less. A failure is Prepare's to meet again, and to tell.
func (i *Instance) Foresee(ctx context.Context) error {
	if i.Server.Manager == "" {
		return nil
	}
	return i.installing.take(ctx, func() error {
		if _, err := i.get(); err == nil {
			return nil
		}
		e, err := i.install(ctx, Plan{Manager: i.Server.Manager, Version: i.Server.Version})
		if err == nil {
			i.foreseen = e
		}
		return err
	})
}

func (i *Instance) install(ctx context.Context, plan Plan) (engine.Engine, error) {
	e, err := i.open(ctx, plan)
	if err != nil {
		return nil, err
	}
	return e, e.Install(ctx)
}

// open finds the engine that a plan wants.
func (i *Instance) open(ctx context.Context, plan Plan) (engine.Engine, error) {
	e, err := i.Kinds.Open(ctx, plan.Manager, plan.Version, i.Server)
	if err != nil {
		return nil, err
	}
	if v := e.Version(); plan.Version != "" && plan.Version != v && !strings.HasPrefix(v, plan.Version+".") {
		return nil, errs.New(errs.Invalid, "VERSION_MISSING", "The server has %s %s, not %s.", plan.Manager, v, plan.Version)
	}
	return e, nil
}

// keep configures the engine and notes it, so that the next agent finds it.
func (i *Instance) keep(e engine.Engine, plan Plan) (*parts, error) {
	memory := plan.MemoryMiB
	if memory == 0 {
		memory = int(i.Server.MemoryBytes >> 20)
	}
	if err := e.Configure(memory); err != nil {
		return nil, err
	}
	c := chosen{Manager: plan.Manager, Version: e.Version(), MemoryMiB: memory}
	if err := durable.WriteJSON(i.chosenPath(), c); err != nil {
		return nil, fmt.Errorf("note what is prepared: %w", err)
	}
	if err := i.assemble(plan.Manager, e); err != nil {
		return nil, err
	}
	return i.get()
}

func (i *Instance) building() {
	i.Hub.Update(func(s *report.Status) {
		if s.PID == 0 {
			s.Service, s.Message = status.ServiceBuilding, ""
		}
	})
}

// failed tells of a database that did not come to be; one that runs tells of itself.
func (i *Instance) failed() {
	i.Hub.Update(func(s *report.Status) {
		if s.Service == status.ServiceBuilding {
			s.Service, s.Message = status.ServiceFailed, "The database could not be prepared."
		}
	})
}
