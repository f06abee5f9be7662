package postgresql

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/coffer-dbaas/coffer/pkg/pause"
)

// holdName is the file that holds tenants to reading, or is empty.
const holdName = "hold.conf"

// SetReadOnly makes new transactions read only, and ends the sessions that write in an old one; the administrator's are
// not. It is meant for those who do not notice that their volume is full, not for those who would break out: a session
// can ask for a transaction that writes. A replica writes nothing by itself, so it is not held: it takes writes in the
// moment of its promotion.
func (e *Engine) SetReadOnly(ctx context.Context, on bool) error {
	is, err := e.writability(ctx)
	if err != nil {
		return err
	}
	return e.hold(ctx, is, on)
}

// hold is SetReadOnly of a server of which is known how it is.
func (e *Engine) hold(ctx context.Context, is writability, on bool) error {
	on = on && !is.recovering
	if err := e.writeHold(on); err != nil || is.held == on {
		return err
	}
	if err := e.reload(ctx); err != nil || !on {
		return err
	}
	return e.in(ctx, "postgres", func(c *pgconn.PgConn) error {
		_, err := query(ctx, c, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "+
			"WHERE backend_type = 'client backend' AND backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND usename <> $1", admin)
		return err
	})
}

// writability is whether the server takes writes from a session that begins now.
type writability struct{ recovering, held bool }

func (e *Engine) writability(ctx context.Context) (is writability, err error) {
	err = e.as(ctx, sessionOfAnybody, "postgres", func(c *pgconn.PgConn) error {
		said, err := row(ctx, c, "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')")
		if err == nil {
			is = writability{recovering: said[0] == "t", held: said[1] == "on"}
		}
		return err
	})
	return is, err
}

func (e *Engine) writeHold(on bool) error {
	text := ""
	if on {
		text = setting("default_transaction_read_only", "on")
	}
	return e.changeConf(holdName, text)
}

const (
	// reloadPause is how often it is looked whether the settings were read.
	reloadPause = 2 * time.Millisecond
	// reloadLimit is more than a server takes that works.
	reloadLimit = 10 * time.Second
)

var errNotReloaded = errors.New("the database does not read its settings again")

// reload makes the server read its settings and waits until new sessions have them.
func (e *Engine) reload(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, reloadLimit, errNotReloaded)
	defer cancel()
	before, err := e.loaded(ctx, "pg_reload_conf()")
	for after := before; err == nil && after == before; {
		if !pause.For(ctx, reloadPause) {
			return context.Cause(ctx)
		}
		after, err = e.loaded(ctx, "true")
	}
	return err
}

// loaded is when the settings of a new session were read, before it does something.
func (e *Engine) loaded(ctx context.Context, do string) (when string, err error) {
	err = e.in(ctx, "postgres", func(c *pgconn.PgConn) error {
		if when, err = query(ctx, c, "SELECT pg_conf_load_time()::text"); err != nil {
			return err
		}
		_, err = query(ctx, c, "SELECT "+do)
		return err
	})
	return when, err
}
