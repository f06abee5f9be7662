package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/template"
)

var (
	errNotUpgradable = errs.New(errs.Unsupported, "NOT_SUPPORTED", "The database cannot be upgraded in place.")
	errNoUpgrade     = errs.New(errs.WrongState, "NO_UPGRADE", "No upgrade is under way.")
)

// upgradeDir is on the volume, as the data are: a clone may share blocks with them.
func (i *Instance) upgradeDir() string { return filepath.Join(i.Server.DataDir, ".upgrade") }

// keptDir is the clone, which exists only as a whole.
func (i *Instance) keptDir() string { return filepath.Join(i.upgradeDir(), "data") }

// PrepareUpgrade stops the database and keeps a clone of its data, which no tenant changes from here on.
func (i *Instance) PrepareUpgrade(ctx context.Context, to string, tell func(string)) error {
	return i.upgrade(ctx, func(p *parts, u engine.Upgrader) error {
		state := i.upgrading.state()
		switch {
		case state.Phase == none:
			state = upgradeState{From: u.Version(), To: to, Phase: preparing}
		case state.To != to:
			return errs.New(errs.Conflict, "UPGRADE_UNDER_WAY", "An upgrade to %s is under way.", state.To)
		case state.Phase != preparing:
			return nil
		}
		// From here on nobody starts the database.
		if err := i.upgrading.become(state); err != nil {
			return err
		}
		tell("stopping the database")
		if err := p.loop.RequestAndWaitStop(ctx); err != nil {
			return err
		}
		tell("keeping a clone of the data")
		if err := i.keepClone(ctx, u); err != nil {
			return err
		}
		if err := u.PrepareUpgrade(ctx, to, i.upgradeDir()); err != nil {
			return err
		}
		state.Phase = prepared
		return i.upgrading.become(state)
	})
}

func (i *Instance) keepClone(ctx context.Context, u engine.Upgrader) error {
	if err := i.discard(); err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(i.upgradeDir(), 0o700), i.Server.Give(i.upgradeDir())); err != nil {
		return fmt.Errorf("make the folder of the upgrade: %w", err)
	}
	if err := template.Clone(ctx, u.DataDir(), i.keptDir(), i.Server.Give); err != nil {
		return err
	}
	return template.Settle(i.keptDir())
}

// UpgradeDatabase converts the data and starts the database of the version that has come.
func (i *Instance) UpgradeDatabase(ctx context.Context, to string, tell func(string)) error {
	return i.upgrade(ctx, func(p *parts, u engine.Upgrader) error {
		state := i.upgrading.state()
		switch {
		case state.Phase == none || state.Phase == preparing:
			return errNoUpgrade
		case u.Version() != to:
			return errs.New(errs.WrongState, "VERSION_MISSING", "The server has %s %s, not %s.", p.manager, u.Version(), to)
		}
		if state.Phase == prepared || state.Phase == converting {
			tell("converting the data")
			if err := i.convert(ctx, u, state); err != nil {
				return err
			}
		}
		tell("starting the database")
		if err := p.loop.RequestAndWaitStart(ctx); err != nil {
			return err
		}
		tell("converting what the new version keeps of itself")
		if err := u.ConvertRunning(ctx); err != nil {
			return err
		}
		return i.advance(converted)
	})
}

// convert begins again with the data as they were kept, when it was interrupted.
func (i *Instance) convert(ctx context.Context, u engine.Upgrader, state upgradeState) error {
	if state.Phase == converting {
		if err := os.RemoveAll(u.DataDir()); err != nil {
			return fmt.Errorf("remove data that are half converted: %w", err)
		}
		if err := template.Clone(ctx, i.keptDir(), u.DataDir(), i.Server.Give); err != nil {
			return err
		}
	}
	if err := i.advance(converting); err != nil {
		return err
	}
	if err := u.ConvertData(ctx, state.From, i.upgradeDir()); err != nil {
		return err
	}
	if err := u.Settle(ctx); err != nil {
		return err
	}
	return i.advance(starting)
}

func (i *Instance) advance(next phase) error {
	state := i.upgrading.state()
	state.Phase = next
	return i.upgrading.become(state)
}

// RevertUpgrade puts the clone back, if the data were touched, and starts the former version, which must be there again.
func (i *Instance) RevertUpgrade(ctx context.Context, tell func(string)) error {
	return i.upgrade(ctx, func(p *parts, u engine.Upgrader) error {
		if state := i.upgrading.state(); state.Phase != none {
			if err := i.putBack(ctx, p, u, state, tell); err != nil {
				return err
			}
		}
		tell("starting the database")
		return p.loop.RequestAndWaitStart(ctx)
	})
}

func (i *Instance) putBack(ctx context.Context, p *parts, u engine.Upgrader, state upgradeState, tell func(string)) error {
	if u.Version() != state.From {
		return errs.New(errs.WrongState, "VERSION_MISSING", "The server has %s %s, not %s.", p.manager, u.Version(), state.From)
	}
	if err := p.loop.RequestAndWaitStop(ctx); err != nil {
		return err
	}
	if state.touched() {
		tell("putting the data back")
		if err := i.restoreKept(u); err != nil {
			return err
		}
	}
	if err := i.discard(); err != nil {
		return err
	}
	return i.upgrading.become(upgradeState{})
}

// restoreKept does nothing when the clone has taken its place already.
func (i *Instance) restoreKept(u engine.Upgrader) error {
	if kept, err := durable.Exists(i.keptDir()); err != nil || !kept {
		return err
	}
	if err := os.RemoveAll(u.DataDir()); err != nil {
		return fmt.Errorf("remove the converted data: %w", err)
	}
	if err := os.Rename(i.keptDir(), u.DataDir()); err != nil {
		return fmt.Errorf("put the data back: %w", err)
	}
	return errors.Join(durable.SyncFolder(filepath.Dir(u.DataDir())), durable.SyncFolder(i.upgradeDir()))
}

// FinishUpgrade gives the way back up, and lets tenants write.
func (i *Instance) FinishUpgrade(ctx context.Context) error {
	return i.upgrade(ctx, func(p *parts, u engine.Upgrader) error {
		switch state := i.upgrading.state(); state.Phase {
		case none:
		case converted:
			if err := i.rechoose(func(c *chosen) { c.Version = u.Version() }); err != nil {
				return err
			}
			if err := i.upgrading.become(upgradeState{}); err != nil {
				return err
			}
		default:
			return errs.New(errs.WrongState, "UPGRADE_UNDER_WAY", "The upgrade is not complete.")
		}
		if err := p.gate.enforce(ctx); err != nil {
			return err
		}
		return i.discard()
	})
}

// discard removes the clone, and whatever else was kept for the upgrade.
func (i *Instance) discard() error {
	if err := os.RemoveAll(i.upgradeDir()); err != nil {
		return fmt.Errorf("remove what was kept for the upgrade: %w", err)
	}
	return nil
}

// upgrade lets one call at a time in, and none that changes the role.
func (i *Instance) upgrade(ctx context.Context, do func(*parts, engine.Upgrader) error) error {
	p, err := i.get()
	if err != nil {
		return err
	}
	u, can := p.gate.Engine.(engine.Upgrader)
	if !can {
		return errNotUpgradable
	}
	return i.roleTurn.take(ctx, func() error { return do(p, u) })
}
