package postgresql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

const (
	// streamLimit is how long a source may take to send, once it is asked.
	streamLimit = 15 * time.Second
	streamPause = 5 * time.Millisecond
	// askLimit is how long a source may take to say who it is.
	askLimit = 10 * time.Second
)

// CheckFollow compares what is here with the source's history. What a replica has that does not answer now is looked at
// once it runs.
func (e *Engine) CheckFollow(ctx context.Context, source engine.Source) error {
	here, err := e.here(ctx)
	if errs.IsKind(err, errs.Unavailable) {
		return nil
	}
	if err != nil {
		return err
	}
	return e.compare(ctx, here, source)
}

func (e *Engine) compare(ctx context.Context, here position, source engine.Source) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	there, err := e.identify(ctx, source)
	if err != nil {
		return err
	}
	own, err := e.readControl(ctx)
	if err != nil {
		return err
	}
	switch {
	case there.system != own.system:
		return engine.Diverged(fmt.Errorf("the source's data are of another origin: %s, not %s", there.system, own.system))
	case !there.history.holds(here, there.upTo):
		return engine.Diverged(fmt.Errorf("the source branched off before %s", here))
	}
	return nil
}

// identity is what a source says of itself.
type identity struct {
	system  string
	history history
	upTo    lsn
}

// identify asks a source over the account that replicas follow it with, in the language of replication.
func (e *Engine) identify(ctx context.Context, source engine.Source) (i identity, err error) {
	config, err := plainConfig()
	if err != nil {
		return i, err
	}
	config.Host, config.Port = source.Address, uint16(source.Port) //nolint:gosec // a port
	config.User, config.Password = source.User, source.Password
	config.RuntimeParams = map[string]string{"replication": "true", "application_name": e.server.InstanceID}
	c, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return i, sourceUnreachable(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	said, err := row(ctx, c, "IDENTIFY_SYSTEM")
	if err != nil || len(said) < 3 {
		return i, sourceUnreachable(err)
	}
	i.system = said[0]
	var timeline uint32
	if _, err := fmt.Sscan(said[1], &timeline); err != nil {
		return i, sourceUnreachable(err)
	}
	if i.upTo, err = parseLSN(said[2]); err != nil {
		return i, sourceUnreachable(err)
	}
	i.history.current = timeline
	if timeline == 1 {
		return i, nil
	}
	if said, err = row(ctx, c, fmt.Sprintf("TIMELINE_HISTORY %d", timeline)); err != nil || len(said) < 2 {
		return i, sourceUnreachable(err)
	}
	i.history, err = parseHistory(timeline, said[1])
	return i, err
}

func sourceUnreachable(cause error) error {
	return errs.New(errs.Unavailable, "SOURCE_UNREACHABLE", "The source does not answer.").Because(cause)
}

// Follow points the server to a source and waits until the source sends.
func (e *Engine) Follow(ctx context.Context, source engine.Source, p engine.Process) error {
	if err := e.startAsReplica(); err != nil {
		return err
	}
	recovering, err := e.recovering(ctx)
	if err == nil && !recovering {
		// It was to be frozen and still runs as a source.
		err = p.RequestAndWaitStop(ctx)
	}
	if err != nil && !errs.IsKind(err, errs.Unavailable) {
		return err
	}
	from := e.log.Size()
	if err := e.pointTo(source); err != nil {
		return err
	}
	if err := p.RequestAndWaitStart(ctx); err != nil {
		return err
	}
	here, err := e.here(ctx)
	if err != nil {
		return err
	}
	if err := e.compare(ctx, here, source); err != nil {
		return err
	}
	if err := e.reload(ctx); err != nil {
		return err
	}
	if err := e.awaitStream(ctx, source, from); err != nil {
		return err
	}
	return e.dropAllSlots(ctx)
}

// awaitStream waits until the source sends, or it is known that it never will.
func (e *Engine) awaitStream(ctx context.Context, source engine.Source, logFrom int64) error {
	ctx, cancel := context.WithTimeoutCause(ctx, streamLimit, errNoStream)
	defer cancel()
	for {
		host, err := e.streamsFrom(ctx)
		if err == nil && host == source.Address {
			return nil
		}
		if err != nil && !errs.IsKind(err, errs.Unavailable) {
			return err
		}
		if why := refusedStream(e.log.Since(logFrom)); why != "" {
			return engine.Diverged(errors.New(why))
		}
		if !pause.For(ctx, streamPause) {
			return context.Cause(ctx)
		}
	}
}

var errNoStream = errs.New(errs.Unavailable, "SOURCE_SILENT", "The source does not send what follows.")

// streamsFrom is the address of the source that sends now; empty when none does.
func (e *Engine) streamsFrom(ctx context.Context) (host string, err error) {
	err = e.in(ctx, "postgres", func(c *pgconn.PgConn) error {
		host, err = query(ctx, c, "SELECT sender_host FROM pg_stat_wal_receiver WHERE status = 'streaming'")
		return err
	})
	return host, err
}

// refusedStream finds what a server logs that can never follow, because the source has thrown away what comes next, or
// has branched off before it.
func refusedStream(log string) string {
	for line := range strings.Lines(log) {
		for _, never := range []string{"has already been removed", "is not a child of this server's history", "forked off"} {
			if strings.Contains(line, never) {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}

// dropAllSlots lets go of what a former source kept for its replicas: nobody else would, and it would fill the volume.
func (e *Engine) dropAllSlots(ctx context.Context) error {
	return e.in(ctx, "postgres", func(c *pgconn.PgConn) error { return dropSlots(ctx, c, engine.ReplicaPrefix+"%") })
}
