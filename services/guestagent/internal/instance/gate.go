package instance

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/role"
)

// gate is the one place that says whether the database may write: it may when its role says so, its volume is not full and
// no upgrade is under way. It stands between the loop and the engine, so that a database process, which always begins by
// refusing writes, has assumed its role before anybody is told that it answers.
type gate struct {
	engine.Engine

	roles     *role.Keeper
	upgrading *upgrading
	// turn is held while the role changes and while it is brought about, so that nobody acts on a former role.
	turn turn
	// full and assumed belong to who has the turn; assumed is of the process that runs.
	full, assumed bool
}

func newGate(e engine.Engine, roles *role.Keeper, upgrading *upgrading) *gate {
	return &gate{Engine: e, roles: roles, upgrading: upgrading, turn: newTurn()}
}

// Command starts no half copy, no data that an upgrade has under its hands, and no frozen server that could write.
func (g *gate) Command() (proc.Command, error) {
	state := g.roles.State()
	if state.Copying {
		return proc.Command{}, errs.New(errs.WrongState, "COPY_INCOMPLETE", "The copy of the source is not complete.")
	}
	if !g.upgrading.state().mayStart() {
		return proc.Command{}, errs.New(errs.WrongState, "UPGRADE_UNDER_WAY", "The data are being upgraded.")
	}
	if r, replicates := g.Engine.(engine.Replicator); replicates && state.Role == role.Frozen && !r.RunsFrozen() {
		return proc.Command{}, errs.New(errs.WrongState, "IS_FROZEN", "The server is frozen.")
	}
	return g.Engine.Command()
}

// Answers says that the database answers once it has assumed its role, which is the first that it is asked.
func (g *gate) Answers(ctx context.Context) error {
	first := false
	err := g.turn.take(ctx, func() error {
		if first = !g.assumed; !first {
			return nil
		}
		err := g.assume(ctx)
		g.assumed = err == nil
		return err
	})
	if err != nil || first {
		return err
	}
	return g.Engine.Answers(ctx)
}

func (g *gate) assume(ctx context.Context) error {
	if r, replicates := g.Engine.(engine.Replicator); replicates {
		return r.Assume(ctx, g.roles.State().Role, g.readOnly())
	}
	if err := g.Engine.Answers(ctx); err != nil {
		return err
	}
	return g.setReadOnly(ctx)
}

// Disconnect is for a process that has ended, or is about to; nobody asks it any more.
func (g *gate) Disconnect() {
	g.assumed = false
	g.Engine.Disconnect()
}

// become changes the role on disk, when nothing is under way for the former one.
func (g *gate) become(ctx context.Context, next role.State) error {
	return g.turn.take(ctx, func() error { return g.roles.Become(next) })
}

// enforce makes the database accept writes or refuse them, as is right now.
func (g *gate) enforce(ctx context.Context) error {
	return g.turn.take(ctx, func() error { return g.setReadOnly(ctx) })
}

// hold keeps a database from writing whose volume is full.
func (g *gate) hold(ctx context.Context, full bool) error {
	return g.turn.take(ctx, func() error {
		g.full = full
		return g.setReadOnly(ctx)
	})
}

func (g *gate) setReadOnly(ctx context.Context) error { return g.SetReadOnly(ctx, g.readOnly()) }

func (g *gate) readOnly() bool {
	return g.full || g.upgrading.state().Phase != none || !g.roles.State().Role.MayWrite()
}

// turn lets one in at a time; who waits may give up.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context, do func() error) error {
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-t }()
	return do()
}
