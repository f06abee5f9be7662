package mariadb

import (
	"context"
	"errors"
	"fmt"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// awaitSlice is how long the server waits at a time, in seconds: a wait that nobody wants any more ends by then.
const awaitSlice = 1

// AwaitPosition waits until everything up to a position has been applied.
func (e *Engine) AwaitPosition(ctx context.Context, text string) error {
	wanted, err := parsePosition(text)
	if err != nil {
		return errs.New(errs.Invalid, "POSITION_UNREADABLE", "The position %q cannot be read.", text).Because(err)
	}
	for {
		here, err := e.current(ctx)
		if err != nil || here.reaches(wanted) {
			return err
		}
		f, err := e.following(ctx)
		if err != nil {
			return err
		}
		if f.applyErrno != 0 || !f.configured {
			return engine.ReplicationBroken(f.complaint())
		}
		if err := e.awaitApplied(ctx, text); err != nil {
			return err
		}
	}
}

// awaitApplied waits for a moment, or until the position is reached.
func (e *Engine) awaitApplied(ctx context.Context, text string) error {
	db, err := e.connect()
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf("DO MASTER_GTID_WAIT(?, %d)", awaitSlice), text); err != nil {
		return errors.Join(context.Cause(ctx), unanswered(err))
	}
	return nil
}

func (e *Engine) current(ctx context.Context) (position, error) {
	text, err := e.position(ctx)
	if err != nil {
		return nil, err
	}
	return parsePosition(text)
}

// Promote applies what was received and ends the following.
func (e *Engine) Promote(ctx context.Context, p engine.Process) (string, error) {
	if err := p.RequestAndWaitStart(ctx); err != nil {
		return "", err
	}
	f, err := e.following(ctx)
	if err != nil {
		return "", err
	}
	if f.configured {
		if err := e.endFollowing(ctx); err != nil {
			return "", err
		}
	}
	return e.position(ctx)
}

// endFollowing receives nothing more, applies what it has as far as that can be done, and forgets the source.
func (e *Engine) endFollowing(ctx context.Context) error {
	if err := e.execute(ctx, "STOP SLAVE IO_THREAD"); err != nil {
		return err
	}
	for {
		f, err := e.following(ctx)
		if err != nil {
			return err
		}
		here, err := e.current(ctx)
		if err != nil {
			return err
		}
		if !f.applies || here.reaches(f.received) {
			break
		}
		if err := e.awaitApplied(ctx, f.received.String()); err != nil {
			return err
		}
	}
	if err := e.execute(ctx, "STOP SLAVE"); err != nil {
		return err
	}
	return e.execute(ctx, "RESET SLAVE ALL")
}
