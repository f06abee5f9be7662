package mariadb

import (
	"context"
	"slices"
)

// resume lets a replica follow on from all that it has applied. A change of tables is in the binary log before the
// server's note of how far it has applied says so, and a crash may come between the two: followed from the note, it would
// be applied twice, which the strict mode refuses (error 1950). The log is ahead only by what was really done.
func (e *Engine) resume(ctx context.Context) error {
	if err := e.execute(ctx, "STOP SLAVE"); err != nil {
		return err
	}
	var noted, logged string
	if err := e.ask(ctx, "SELECT @@GLOBAL.gtid_slave_pos, @@GLOBAL.gtid_binlog_pos", &noted, &logged); err != nil {
		return err
	}
	applied, err := parsePosition(noted)
	if err != nil {
		return err
	}
	log, err := parsePosition(logged)
	if err != nil {
		return err
	}
	if !applied.reaches(log) {
		if err := e.execute(ctx, "SET GLOBAL gtid_slave_pos = ?", applied.with(log).String()); err != nil {
			return err
		}
	}
	return e.execute(ctx, "START SLAVE")
}

// with is the further of both positions, domain by domain.
func (p position) with(other position) position {
	further := slices.Clone(p)
	for _, o := range other {
		at := slices.IndexFunc(further, func(g gtid) bool { return g.domain == o.domain })
		switch {
		case at < 0:
			further = append(further, o)
		case further[at].sequence < o.sequence:
			further[at] = o
		}
	}
	return further
}
