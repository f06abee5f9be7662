package mariadb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/role"
)

var _ engine.Replicator = (*Engine)(nil)

// following is what SHOW SLAVE STATUS says; the zero value is a server that follows nobody.
type following struct {
	configured        bool
	receives, applies bool
	received          position
	behindSeconds     int64
	receiveErrno      int
	receiveError      string
	applyErrno        int
	heardOf           bool
}

func (e *Engine) following(ctx context.Context) (f following, err error) {
	db, err := e.connect()
	if err != nil {
		return f, err
	}
	rows, err := db.QueryContext(ctx, "SHOW SLAVE STATUS")
	if err != nil {
		return f, unanswered(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if !rows.Next() {
		return f, rows.Err()
	}
	said, err := columns(rows)
	if err != nil {
		return f, err
	}
	f.configured = true
	f.receives, f.applies = said["Slave_IO_Running"] == "Yes", said["Slave_SQL_Running"] == "Yes"
	f.receiveError = said["Last_IO_Error"]
	f.heardOf = said["Master_Log_File"] != ""
	// What is not a number is none: MariaDB says NULL where it does not know.
	f.behindSeconds, _ = strconv.ParseInt(said["Seconds_Behind_Master"], 10, 64)
	f.receiveErrno, _ = strconv.Atoi(said["Last_IO_Errno"])
	f.applyErrno, _ = strconv.Atoi(said["Last_SQL_Errno"])
	f.received, err = parsePosition(said["Gtid_IO_Pos"])
	return f, err
}

// columns are a row's values by their names.
func columns(rows *sql.Rows) (map[string]string, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("ask the database: %w", err)
	}
	values, targets := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range values {
		targets[i] = &values[i]
	}
	if err := rows.Scan(targets...); err != nil {
		return nil, fmt.Errorf("ask the database: %w", err)
	}
	said := make(map[string]string, len(names))
	for i, name := range names {
		said[name] = values[i].String
	}
	return said, nil
}

// Assume lets a replica follow, which no server does by itself (skip_slave_start), and ends the following of a source.
func (e *Engine) Assume(ctx context.Context, r role.Role, readOnly bool) error {
	if err := e.listens(); err != nil {
		return err
	}
	f, err := e.following(ctx)
	if err != nil {
		return err
	}
	switch {
	case !f.configured:
	case r.MayWrite():
		err = e.endFollowing(ctx)
	case r == role.Replica && (!f.receives || !f.applies):
		err = e.resume(ctx)
	}
	if err != nil {
		return err
	}
	return e.SetReadOnly(ctx, readOnly)
}

// Replication asks the database how far it is.
func (e *Engine) Replication(ctx context.Context) (engine.Replication, error) {
	var r engine.Replication
	f, err := e.following(ctx)
	if err != nil {
		return r, err
	}
	var applied string
	var readOnly bool
	if err := e.ask(ctx, "SELECT @@GLOBAL.gtid_current_pos, @@GLOBAL.read_only", &applied, &readOnly); err != nil {
		return r, err
	}
	here, err := parsePosition(applied)
	if err != nil {
		return r, err
	}
	r.Position, r.Progress, r.Writable = applied, here.progress(), !readOnly
	if !f.configured {
		return r, nil
	}
	r.Streaming, r.Message, r.Received = f.receives && f.applies, f.complaint(), f.received.String()
	if f.applies && !here.reaches(f.received) {
		r.Progress, r.LagMilliseconds = max(r.Progress, f.received.progress()), f.behindSeconds*1000
	}
	return r, nil
}

// complaint says why nothing streams; what could not be applied holds rows of the tenant's, so of that only the number.
func (f following) complaint() string {
	switch {
	case !f.configured:
		return "it follows nobody"
	case f.applyErrno != 0:
		return fmt.Sprintf("a change of the source could not be applied: error %d", f.applyErrno)
	case f.receiveErrno != 0:
		return fmt.Sprintf("nothing comes from the source: error %d, %s", f.receiveErrno, f.receiveError)
	case !f.receives:
		return "the source is being connected to"
	case !f.applies:
		return "nothing is applied"
	}
	return ""
}
