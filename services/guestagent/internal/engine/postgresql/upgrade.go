package postgresql

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

var _ engine.Upgrader = (*Engine)(nil)

// DataDir is where the tables are.
func (e *Engine) DataDir() string { return e.dataDir() }

// PrepareUpgrade leaves a dump where the version that comes cannot read the data directory: one of another series.
func (e *Engine) PrepareUpgrade(ctx context.Context, to, folder string) error {
	switch {
	case series(to) == series(e.Version()):
		return nil
	case engine.CompareVersions(to, e.Version()) < 0:
		return errs.New(errs.Invalid, "DOWNGRADE", "PostgreSQL %s cannot be brought back to %s.", e.Version(), to)
	}
	switch _, err := os.Lstat(e.signalPath()); {
	case err == nil:
		return errs.New(errs.WrongState, "IS_REPLICA", "A replica cannot be brought to another series of PostgreSQL; detach it first.")
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return e.alone(ctx, func(ctx context.Context) error { return e.dump(ctx, folder) })
}

// ConvertData makes a new data directory and fills it from the dump, where the former one is of another series.
func (e *Engine) ConvertData(ctx context.Context, from, folder string) error {
	if series(from) == series(e.Version()) {
		return nil
	}
	if err := e.RemoveData(ctx); err != nil {
		return err
	}
	if err := e.Install(ctx); err != nil {
		return err
	}
	return e.alone(ctx, func(ctx context.Context) error { return e.restore(ctx, folder) })
}

// ConvertRunning has nothing to do: what a version keeps of itself came with its data directory.
func (e *Engine) ConvertRunning(context.Context) error { return nil }
