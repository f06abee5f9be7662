package postgresql

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// RunsFrozen says that a frozen server does not run: PostgreSQL has no other way to refuse every write.
func (e *Engine) RunsFrozen() bool { return false }

// Freeze stops the server in order; before it ends, it sends all that it wrote to the replicas that are connected. A
// checkpoint while it still works leaves little to do for the one of the stop.
func (e *Engine) Freeze(ctx context.Context, p engine.Process) (string, error) {
	if err := e.startAsReplica(); err != nil {
		return "", err
	}
	if err := e.checkpoint(ctx); err != nil && !errs.IsKind(err, errs.Unavailable) {
		return "", err
	}
	if err := p.RequestAndWaitStop(ctx); err != nil {
		return "", err
	}
	now, err := e.readControl(ctx)
	if err == nil && !now.clean {
		if err = e.endInOrder(ctx); err == nil {
			now, err = e.readControl(ctx)
		}
	}
	if err != nil {
		return "", err
	}
	return now.here().String(), nil
}

func (e *Engine) checkpoint(ctx context.Context) error {
	if !e.isReady() {
		return unreachable(nil)
	}
	return e.in(ctx, "postgres", func(c *pgconn.PgConn) error { return execute(ctx, c, "CHECKPOINT") })
}

// endInOrder recovers a data directory whose server was killed, by one that hears nobody and ends at once. It must not
// begin as a replica, since it would wait for somebody to tell it what comes next.
func (e *Engine) endInOrder(ctx context.Context) error {
	if err := e.startAsSource(); err != nil {
		return err
	}
	if err := e.alone(ctx, func(context.Context) error { return nil }); err != nil {
		return fmt.Errorf("recover the data directory: %w", err)
	}
	return e.startAsReplica()
}

// Unfreeze starts the server as the source that it was.
func (e *Engine) Unfreeze(ctx context.Context, p engine.Process) error {
	if err := e.startAsSource(); err != nil {
		return err
	}
	return p.RequestAndWaitStart(ctx)
}
