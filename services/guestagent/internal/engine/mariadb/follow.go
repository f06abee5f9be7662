package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

const (
	// connectLimit is how long a source may take to answer.
	connectLimit = 10 * time.Second
	// connectPause is the pause between two looks at whether it has.
	connectPause = 5 * time.Millisecond
	// goneFromBinlog is the source's error for a replica whose position it cannot continue.
	goneFromBinlog = 1236
)

// CheckFollow compares what is here with what the source says of itself.
func (e *Engine) CheckFollow(ctx context.Context, source engine.Source) error {
	_, err := e.compare(ctx, source)
	return err
}

// compare gives the source's history when it may hold what is here.
func (e *Engine) compare(ctx context.Context, source engine.Source) (history, error) {
	here, err := e.beginning(ctx)
	if err != nil {
		return history{}, err
	}
	h, err := historyOf(ctx, source)
	if err != nil {
		return history{}, err
	}
	if h.lacks(here) {
		return history{}, engine.Diverged(nil)
	}
	return h, nil
}

// beginning is from where on a source is asked for its changes: where the copy ends, as long as it has not been followed
// yet, or what is here.
func (e *Engine) beginning(ctx context.Context) (position, error) {
	text, err := e.copiedPosition()
	if errors.Is(err, fs.ErrNotExist) {
		return e.current(ctx)
	}
	if err != nil {
		return nil, err
	}
	return parsePosition(text)
}

// historyOf asks a source over the account that replicas follow it with.
func historyOf(ctx context.Context, source engine.Source) (h history, err error) {
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net, config.Timeout = source.User, source.Password, "tcp", connectLimit
	config.Addr, config.Logger = net.JoinHostPort(source.Address, strconv.Itoa(source.Port)), &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return h, err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	texts, parsed := [3]string{}, [3]position{}
	err = db.QueryRowContext(ctx, "SELECT @@GLOBAL.gtid_binlog_state, @@GLOBAL.gtid_slave_pos, @@GLOBAL.gtid_current_pos").
		Scan(&texts[0], &texts[1], &texts[2])
	if err != nil {
		return h, unreachable(err)
	}
	for i, text := range texts {
		if parsed[i], err = parsePosition(text); err != nil {
			return h, err
		}
	}
	return history{state: parsed[0], received: parsed[1], current: parsed[2]}, nil
}

func unreachable(cause error) error {
	return errs.New(errs.Unavailable, "SOURCE_UNREACHABLE", "The source does not answer.").Because(cause)
}

// Follow points the server to a source and waits until the source sends.
func (e *Engine) Follow(ctx context.Context, source engine.Source, p engine.Process) error {
	if err := p.RequestAndWaitStart(ctx); err != nil {
		return err
	}
	// Nothing is applied any more when it is looked where this server is.
	if err := e.execute(ctx, "STOP SLAVE"); err != nil {
		return err
	}
	from, err := e.compare(ctx, source)
	if err != nil {
		return err
	}
	begin, err := e.beginning(ctx)
	if err != nil {
		return err
	}
	if err := e.pointTo(ctx, source, begin); err != nil {
		return err
	}
	if err := e.forgetCopy(); err != nil {
		return err
	}
	return e.awaitStream(ctx, begin, from.current)
}

func (e *Engine) pointTo(ctx context.Context, source engine.Source, begin position) error {
	if err := e.execute(ctx, "SET GLOBAL gtid_slave_pos = ?", begin.String()); err != nil {
		return err
	}
	err := e.execute(ctx, "CHANGE MASTER TO MASTER_HOST = ?, MASTER_PORT = ?, MASTER_USER = ?, MASTER_PASSWORD = ?, "+
		"MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 2",
		source.Address, source.Port, source.User, source.Password)
	if err != nil {
		return err
	}
	return e.execute(ctx, "START SLAVE")
}

// awaitStream waits until the source has sent something or has nothing to send, or refuses.
func (e *Engine) awaitStream(ctx context.Context, begin, end position) error {
	ctx, cancel := context.WithTimeoutCause(ctx, connectLimit, unreachable(nil))
	defer cancel()
	for {
		f, err := e.following(ctx)
		if err != nil {
			return err
		}
		switch nothingNew := begin.reaches(end); {
		case f.receiveErrno == goneFromBinlog:
			return engine.Diverged(errors.New(f.receiveError))
		case f.applyErrno != 0:
			return engine.ReplicationBroken(f.complaint())
		case f.receives && f.heardOf && (nothingNew || f.received.String() != begin.String()):
			return nil
		}
		if !pause.For(ctx, connectPause) {
			return context.Cause(ctx)
		}
	}
}

// copyNotes are the files that a copy brings along; their names depend on the version.
const copyNotes = "*_binlog_info"

// copiedPosition is where the copy ends in the source's history. The error is fs.ErrNotExist when it is not a copy or was
// followed already.
func (e *Engine) copiedPosition() (string, error) {
	found, err := filepath.Glob(filepath.Join(e.dataDir(), copyNotes))
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fs.ErrNotExist
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		return "", err
	}
	// A file, an offset, and the position, which is missing where the history has not begun.
	fields := strings.Fields(string(text))
	if len(fields) < 3 {
		return "", nil
	}
	return strings.Join(fields[2:], ""), nil
}

// forgetCopy is for when the server itself knows where it is.
func (e *Engine) forgetCopy() error {
	found, err := filepath.Glob(filepath.Join(e.dataDir(), copyNotes))
	if err != nil || len(found) == 0 {
		return err
	}
	for _, path := range found {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return durable.SyncFolder(e.dataDir())
}
