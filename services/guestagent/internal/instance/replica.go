package instance

import (
	"context"
	"io"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/role"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/transfer"
)

// removeLimit bounds the removal of what a cut copy leaves.
const removeLimit = time.Minute

var errDataExists = errs.New(errs.WrongState, "DATA_EXISTS", "The server has data, which the request does not give up.")

// ReplicaPlan is what PrepareReplica shall make.
type ReplicaPlan struct {
	Plan

	// OperationID names the attempt: a copy that is whole is not made again for it.
	OperationID string
	Source      engine.Source
	// CopyAddress and Ticket are for the source's agent.
	CopyAddress, Ticket string
	// Replace gives up the data that are here.
	Replace bool
}

// PrepareReplica makes the server a replica by a copy of a live source. It may be repeated after a crash at any point.
func (i *Instance) PrepareReplica(ctx context.Context, plan ReplicaPlan, tell func(string)) error {
	i.building()
	err := i.roleTurn.take(ctx, func() error { return i.prepareReplica(ctx, plan, tell) })
	if err != nil {
		i.failed()
	}
	return err
}

func (i *Instance) prepareReplica(ctx context.Context, plan ReplicaPlan, tell func(string)) error {
	p, r, err := i.chooseReplica(ctx, plan)
	if err != nil {
		return err
	}
	if state := i.roles.State(); state.Copying || state.CopiedBy != plan.OperationID {
		if err := i.copyWhole(ctx, p, r, plan, tell); err != nil {
			return err
		}
	}
	tell("starting the database")
	if err := p.loop.RequestAndWaitStart(ctx); err != nil {
		return err
	}
	tell("following the source")
	if err := r.Follow(ctx, plan.Source, p.loop); err != nil {
		return err
	}
	return r.Settle(ctx)
}

// chooseReplica installs the engine's configuration, and nothing else yet; it refuses where there are data that the plan
// does not give up, and always where they are a source's.
func (i *Instance) chooseReplica(ctx context.Context, plan ReplicaPlan) (*parts, engine.Replicator, error) {
	p, err := i.get()
	if err != nil {
		if p, err = i.openReplica(ctx, plan); err != nil {
			return nil, nil, err
		}
	}
	if p.manager != plan.Manager {
		return nil, nil, errs.New(errs.Conflict, "ALREADY_PREPARED", "The database is prepared as %s.", p.manager)
	}
	r, replicates := p.gate.Engine.(engine.Replicator)
	if !replicates {
		return nil, nil, errCannot
	}
	has, err := r.HasData()
	if err != nil {
		return nil, nil, err
	}
	switch state := i.roles.State(); {
	case !has || state.Copying || state.CopiedBy == plan.OperationID:
		return p, r, nil
	case !plan.Replace:
		return nil, nil, errDataExists
	case state.Role.MayWrite():
		return nil, nil, errIsSource
	}
	return p, r, nil
}

func (i *Instance) openReplica(ctx context.Context, plan ReplicaPlan) (*parts, error) {
	e, err := i.open(ctx, plan.Plan)
	if err != nil {
		return nil, err
	}
	r, replicates := e.(engine.Replicator)
	if !replicates {
		return nil, errCannot
	}
	switch has, err := r.HasData(); {
	case err != nil:
		return nil, err
	case has && !i.roles.State().Copying:
		return nil, errDataExists
	}
	// From here on nobody starts a database on this server until the copy is whole.
	if err := i.roles.Become(copying(plan)); err != nil {
		return nil, err
	}
	return i.keep(e, plan.Plan)
}

func copying(plan ReplicaPlan) role.State {
	return role.State{Role: role.Replica, SourceInstanceID: plan.Source.InstanceID, Copying: true}
}

// copyWhole replaces the data by a copy. What was cut is removed; until a copy is whole no database starts.
func (i *Instance) copyWhole(ctx context.Context, p *parts, r engine.Replicator, plan ReplicaPlan, tell func(string)) error {
	if err := p.gate.become(ctx, copying(plan)); err != nil {
		return err
	}
	if err := p.loop.RequestAndWaitStop(ctx); err != nil {
		return err
	}
	if err := r.RemoveData(ctx); err != nil {
		return err
	}
	tell("copying the source's data")
	err := r.CopyFrom(ctx, plan.Source, func(ctx context.Context) (io.ReadCloser, error) {
		return transfer.Fetch(ctx, i.Identity, plan.Source.InstanceID, plan.CopyAddress, plan.Ticket)
	})
	if err != nil {
		removing, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeLimit)
		defer cancel()
		if removal := r.RemoveData(removing); removal != nil {
			i.Log.Warn("what is left of a copy could not be removed; the next attempt will", "error", removal)
		}
		return err
	}
	whole := copying(plan)
	whole.Copying, whole.CopiedBy = false, plan.OperationID
	return p.gate.become(ctx, whole)
}
