package mariadb

import (
	"context"
	"errors"
)

// TrimHistory purges the oldest binlogs. The server keeps those that a connected replica reads, and the newest.
func (e *Engine) TrimHistory(ctx context.Context, bytes uint64) error {
	keep, err := e.firstKept(ctx, bytes)
	if err != nil || keep == "" {
		return err
	}
	return e.execute(ctx, "PURGE BINARY LOGS TO ?", keep)
}

// firstKept is the oldest binlog that may stay, or empty when all may.
func (e *Engine) firstKept(ctx context.Context, bytes uint64) (keep string, err error) {
	db, err := e.connect()
	if err != nil {
		return "", err
	}
	rows, err := db.QueryContext(ctx, "SHOW BINARY LOGS")
	if err != nil {
		return "", unanswered(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var names []string
	var sizes []uint64
	for rows.Next() {
		var name string
		var size uint64
		if err := rows.Scan(&name, &size); err != nil {
			return "", err
		}
		names, sizes = append(names, name), append(sizes, size)
	}
	var sum uint64
	for at := len(names) - 1; at >= 0; at-- {
		if sum += sizes[at]; sum > bytes && at+1 < len(names) {
			return names[at+1], rows.Err()
		}
	}
	return "", rows.Err()
}
