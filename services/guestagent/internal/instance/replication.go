package instance

import (
	"context"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/role"
)

// Replication is the server's role, and how far its database is.
func (i *Instance) Replication(ctx context.Context) (role.State, engine.Replication, error) {
	_, r, err := i.replicator()
	if err != nil {
		return role.State{}, engine.Replication{}, err
	}
	now, err := r.Replication(ctx)
	return i.roles.State(), now, err
}

// Admission is what a replica gets from its source.
type Admission struct {
	Account engine.Account
	// CopyAddress is where the agent serves the copy; empty when the engine copies over the database's own port.
	CopyAddress string
}

// Admit lets a replica in, and with a ticket announces a copy for it, as long as the ticket is good.
func (i *Instance) Admit(ctx context.Context, replica engine.Member, ticket string, good time.Duration) (a Admission, err error) {
	_, r, err := i.replicator()
	if err != nil {
		return a, err
	}
	if a.Account, err = r.AdmitReplica(ctx, replica); err != nil || ticket == "" || !r.SendsCopies() {
		return a, err
	}
	a.CopyAddress = i.Copies.Address()
	return a, i.Copies.Announce(replica.InstanceID, ticket, good, r.SendCopy) //nolint:contextcheck // a copy outlives the call that announces it
}

// Dismiss takes back what Admit gave.
func (i *Instance) Dismiss(ctx context.Context, instanceID string) error {
	_, r, err := i.replicator()
	if err != nil {
		return err
	}
	i.Copies.Withdraw(instanceID)
	return r.DismissReplica(ctx, instanceID)
}

// Follow makes the server a replica of a source with the data that are here.
func (i *Instance) Follow(ctx context.Context, source engine.Source, tell func(string)) error {
	return i.changeRole(ctx, func(p *parts, r engine.Replicator) error {
		state := i.roles.State()
		if state.Role.MayWrite() {
			return errIsSource
		}
		tell("comparing the data with the source's")
		if err := r.CheckFollow(ctx, source); err != nil {
			return err
		}
		next := role.State{Role: role.Replica, SourceInstanceID: source.InstanceID, CopiedBy: state.CopiedBy}
		if err := p.gate.become(ctx, next); err != nil {
			return err
		}
		tell("following the source")
		return r.Follow(ctx, source, p.loop)
	})
}

// Freeze ends all writing.
func (i *Instance) Freeze(ctx context.Context) error {
	return i.changeRole(ctx, func(p *parts, r engine.Replicator) error {
		if i.roles.State().Role == role.Replica {
			return errIsReplica
		}
		if err := p.gate.become(ctx, role.State{Role: role.Frozen}); err != nil {
			return err
		}
		_, err := r.Freeze(ctx, p.loop)
		return err
	})
}

// FrozenAt is the position behind which a frozen server has acknowledged nothing. Conflict: it is not frozen any more.
func (i *Instance) FrozenAt(ctx context.Context) (position string, err error) {
	state, now, err := i.Replication(ctx)
	if err == nil && state.Role != role.Frozen {
		err = errs.New(errs.Conflict, "NOT_FROZEN", "The server is not frozen any more.")
	}
	return now.Position, err
}

// Unfreeze lets a frozen source write again.
func (i *Instance) Unfreeze(ctx context.Context) error {
	return i.changeRole(ctx, func(p *parts, r engine.Replicator) error {
		switch i.roles.State().Role {
		case role.Replica:
			return errIsReplica
		case role.Frozen:
			if err := p.gate.become(ctx, role.State{Role: role.Source}); err != nil {
				return err
			}
		case role.Source, role.Unset: // what follows may not have been done
		}
		if err := r.Unfreeze(ctx, p.loop); err != nil {
			return err
		}
		return p.gate.enforce(ctx)
	})
}

// Promote makes the server a source that writes. What a server has noted as its beginning is told by Began.
func (i *Instance) Promote(ctx context.Context) error {
	return i.changeRole(ctx, func(p *parts, r engine.Replicator) error {
		state := i.roles.State()
		if !state.Role.MayWrite() || state.Began == "" {
			if err := p.gate.become(ctx, role.State{Role: role.Source}); err != nil {
				return err
			}
			began, err := r.Promote(ctx, p.loop)
			if err != nil {
				return err
			}
			if err := p.gate.become(ctx, role.State{Role: role.Source, Began: began}); err != nil {
				return err
			}
		}
		return p.gate.enforce(ctx)
	})
}

// Began is the position at which the own history of a promoted server begins.
func (i *Instance) Began() string { return i.roles.State().Began }

// AwaitPosition waits until everything up to a position has been applied.
func (i *Instance) AwaitPosition(ctx context.Context, position string) error {
	_, r, err := i.replicator()
	if err != nil {
		return err
	}
	return r.AwaitPosition(ctx, position)
}

var (
	errIsSource  = errs.New(errs.WrongState, "IS_SOURCE", "The server is a source; it must be frozen first.")
	errIsReplica = errs.New(errs.WrongState, "IS_REPLICA", "The server is a replica.")
	errCannot    = errs.New(errs.Unsupported, "NO_REPLICATION", "The database on this server cannot be replicated.")
)

// changeRole lets one change the role at a time: an operation, or the agent at its start.
func (i *Instance) changeRole(ctx context.Context, change func(*parts, engine.Replicator) error) error {
	p, r, err := i.replicator()
	if err != nil {
		return err
	}
	return i.roleTurn.take(ctx, func() error { return change(p, r) })
}

func (i *Instance) replicator() (*parts, engine.Replicator, error) {
	p, err := i.get()
	if err != nil {
		return nil, nil, err
	}
	r, replicates := p.gate.Engine.(engine.Replicator)
	if !replicates {
		return nil, nil, errCannot
	}
	return p, r, nil
}
