package postgresql

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// progress is how far a server is that runs.
type progress struct {
	recovering, streaming bool
	// received is what a promotion would apply; both are the same on a source.
	received, applied position
	lagMilliseconds   int64
}

// What a source has written to the disk, and may have sent, and what a replica has received and applied. A replica that
// received nothing since its start still has what it applies from its own disk.
const askProgress = `SELECT r.recovering,
  CASE WHEN r.recovering THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_flush_lsn() END,
  CASE WHEN r.recovering THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END,
  CASE WHEN pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()
    THEN greatest(0, (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::bigint) ELSE 0 END,
  EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')
FROM (SELECT pg_is_in_recovery() AS recovering) r`

func (e *Engine) progress(ctx context.Context) (p progress, err error) {
	if !e.isReady() {
		return p, unreachable(nil)
	}
	err = e.in(ctx, "postgres", func(c *pgconn.PgConn) error {
		p, err = e.progressOn(ctx, c)
		return err
	})
	return p, err
}

func (e *Engine) progressOn(ctx context.Context, c *pgconn.PgConn) (p progress, err error) {
	said, err := row(ctx, c, askProgress)
	if err != nil {
		return p, err
	}
	h, err := e.localHistory()
	if err != nil {
		return p, err
	}
	p.recovering, p.streaming = said[0] == "t", said[4] == "t"
	for i, at := range []*position{&p.received, &p.applied} {
		if at.at, err = parseLSN(said[i+1]); err != nil {
			return p, err
		}
		at.timeline = h.timelineAt(at.at)
		if !p.recovering {
			at.timeline = h.current
		}
	}
	p.lagMilliseconds, err = strconv.ParseInt(said[3], 10, 64)
	return p, err
}

// recovering asks whether the server runs as a replica. Unavailable: it does not run.
func (e *Engine) recovering(ctx context.Context) (is bool, err error) {
	if !e.isReady() {
		return false, unreachable(nil)
	}
	err = e.in(ctx, "postgres", func(c *pgconn.PgConn) error {
		is, err = isRecovering(ctx, c)
		return err
	})
	return is, err
}

// here is how far the data go, of a server that runs, or one that was ended in order.
func (e *Engine) here(ctx context.Context) (position, error) {
	now, err := e.progress(ctx)
	if err == nil {
		return now.received, nil
	}
	if onDisk, fromDisk := e.readControl(ctx); errs.IsKind(err, errs.Unavailable) && fromDisk == nil && onDisk.clean {
		return onDisk.here(), nil
	}
	return position{}, err
}

// Replication asks the database how far it is; one that was ended in order has it on the disk.
func (e *Engine) Replication(ctx context.Context) (engine.Replication, error) {
	now, err := e.progress(ctx)
	if err != nil {
		at, onDisk := e.here(ctx)
		if onDisk != nil {
			return engine.Replication{}, err
		}
		return engine.Replication{Position: at.String(), Progress: uint64(at.at)}, nil
	}
	r := engine.Replication{
		Position: now.received.String(), Progress: uint64(now.received.at),
		Streaming: now.streaming, LagMilliseconds: now.lagMilliseconds,
	}
	if now.recovering {
		r.Received = now.received.String()
		if !now.streaming {
			r.Message = e.whyNotStreaming()
		}
		return r, nil
	}
	is, err := e.writability(ctx)
	r.Writable = !is.recovering && !is.held
	return r, err
}

// lastWords is how much of the log is looked at for why nothing streams.
const lastWords = 16 << 10

// whyNotStreaming is the last that the log says of it.
func (e *Engine) whyNotStreaming() string {
	why := "nothing has been received"
	for line := range strings.Lines(e.log.Since(e.log.Size() - lastWords)) {
		if _, message, is := strings.Cut(line, "FATAL:  "); is && !strings.HasPrefix(message, "the database system is ") {
			why = strings.TrimSpace(message)
		}
	}
	return why
}
