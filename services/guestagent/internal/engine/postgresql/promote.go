package postgresql

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/role"
)

const (
	// promotePause is the pause between two looks at whether a promotion is over.
	promotePause = 2 * time.Millisecond
	// positionPause is the pause between two looks at how far the server is.
	positionPause = 5 * time.Millisecond
)

// Assume lets a source end a promotion that was cut, and a replica forget the slots of a former source.
func (e *Engine) Assume(ctx context.Context, r role.Role, readOnly bool) error {
	if !e.isReady() {
		return unreachable(nil)
	}
	is, err := e.writability(ctx)
	if err != nil {
		return err
	}
	switch {
	case r.MayWrite():
		if is.recovering {
			err = e.endRecovery(ctx)
			is.recovering = false
		}
		if err == nil {
			err = e.settleAsSource(ctx)
		}
	case r == role.Replica:
		err = e.in(ctx, "postgres", func(c *pgconn.PgConn) error {
			_, err := query(ctx, c, "SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots "+
				"WHERE slot_name LIKE $1 AND NOT active", engine.ReplicaPrefix+"%")
			return err
		})
	}
	if err != nil {
		return err
	}
	return e.hold(ctx, is, readOnly)
}

// Promote lets the server apply what it has received and become a source.
func (e *Engine) Promote(ctx context.Context, p engine.Process) (string, error) {
	if err := p.RequestAndWaitStart(ctx); err != nil {
		return "", err
	}
	began, err := e.endFollowing(ctx)
	if err != nil {
		return "", err
	}
	return began.String(), nil
}

// endFollowing gives where the server's own history begins.
func (e *Engine) endFollowing(ctx context.Context) (position, error) {
	if err := e.endRecovery(ctx); err != nil {
		return position{}, err
	}
	if err := e.settleAsSource(ctx); err != nil {
		return position{}, err
	}
	h, err := e.localHistory()
	return h.began(), err
}

// endRecovery lets a standby apply what it has, if the server is one, and waits until it takes writes.
func (e *Engine) endRecovery(ctx context.Context) error {
	return e.in(ctx, "postgres", func(c *pgconn.PgConn) error {
		recovering, err := isRecovering(ctx, c)
		if err != nil || !recovering {
			return err
		}
		// The server's own way to wait looks ten times a second only.
		if _, err := query(ctx, c, "SELECT pg_promote(false)"); err != nil {
			return err
		}
		for recovering {
			if !pause.For(ctx, promotePause) {
				return context.Cause(ctx)
			}
			if recovering, err = isRecovering(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// settleAsSource makes good what a replica could not do.
func (e *Engine) settleAsSource(ctx context.Context) error {
	if err := e.forgetSource(); err != nil {
		return err
	}
	return e.makeAdmissions(ctx)
}

// makeAdmissions makes what could not be made on a replica.
func (e *Engine) makeAdmissions(ctx context.Context) error {
	kept, err := e.admissions()
	if err != nil || len(kept) == 0 {
		return err
	}
	return e.in(ctx, "postgres", func(c *pgconn.PgConn) error {
		for _, a := range kept {
			if err := admit(ctx, c, a); err != nil {
				return err
			}
			if err := e.dropAdmission(a.Role); err != nil {
				return err
			}
		}
		return nil
	})
}

// AwaitPosition waits until everything up to a position has been applied.
func (e *Engine) AwaitPosition(ctx context.Context, text string) error {
	wanted, err := parsePosition(text)
	if err != nil {
		return err
	}
	for {
		err := e.in(ctx, "postgres", func(c *pgconn.PgConn) error { return e.awaitOn(ctx, c, wanted) })
		if !errs.IsKind(err, errs.Unavailable) {
			return err
		}
		if !pause.For(ctx, positionPause) {
			return context.Cause(ctx)
		}
	}
}

func (e *Engine) awaitOn(ctx context.Context, c *pgconn.PgConn, wanted position) error {
	for {
		now, err := e.progressOn(ctx, c)
		switch {
		case err != nil:
			return err
		case now.applied.reaches(wanted):
			return nil
		case !now.recovering:
			return engine.ReplicationBroken("it follows nobody and is at " + now.applied.String())
		}
		if !pause.For(ctx, positionPause) {
			return context.Cause(ctx)
		}
	}
}

// TrimHistory does nothing: max_slot_wal_keep_size bounds what is kept.
func (e *Engine) TrimHistory(context.Context, uint64) error { return nil }
