package postgresql

import (
	"context"
	"path/filepath"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

var _ engine.Upgrader = (*Engine)(nil)

// DataDir is where the tables are.
func (e *Engine) DataDir() string { return e.dataDir() }

// PrepareUpgrade leaves a dump where the version that comes can neither read the data directory, being of another series,
// nor have it converted in place.
func (e *Engine) PrepareUpgrade(ctx context.Context, to, folder string) error {
	switch {
	case series(to) == series(e.Version()):
		return nil
	case dbserver.CompareVersions(to, e.Version()) < 0:
		return errs.New(errs.Invalid, "DOWNGRADE", "PostgreSQL %s cannot be brought back to %s.", e.Version(), to)
	}
	switch replica, err := durable.Exists(e.signalPath()); {
	case err != nil:
		return err
	case replica:
		return errs.New(errs.WrongState, "IS_REPLICA", "A replica cannot be brought to another series of PostgreSQL; detach it first.")
	}
	if _, inPlace := e.reaches(ctx, to); inPlace {
		return nil
	}
	return e.alone(ctx, func(ctx context.Context) error { return e.dump(ctx, folder) })
}

// ConvertData makes a new data directory where the former one is of another series. It is filled from the dump, if there
// is one, or else with the former one's files.
func (e *Engine) ConvertData(ctx context.Context, from, folder string) error {
	if series(from) == series(e.Version()) {
		return nil
	}
	dumped, err := durable.Exists(filepath.Join(folder, globalsName))
	if err != nil {
		return err
	}
	if former, inPlace := e.reaches(ctx, from); inPlace && !dumped {
		return e.convertInPlace(ctx, former, folder)
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
