package postgresql

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
)

// control is what a data directory says of itself; all but system is as old as the last checkpoint while a server runs.
type control struct {
	// system is the same for all copies of one data directory.
	system string
	// clean says that the last server ended in order: all that it had written is in front of the checkpoint.
	clean bool
	// recovering says that it was a replica.
	recovering bool
	checkpoint position
	// replayed is how far a replica got at least.
	replayed position
}

// here is how far the data go. A cleanly ended log ends with the record of its checkpoint; who has one byte of that has
// it all, because records are applied as a whole.
func (c control) here() position {
	if c.recovering {
		return c.replayed
	}
	return position{c.checkpoint.timeline, c.checkpoint.at + 1}
}

func (e *Engine) readControl(ctx context.Context) (c control, err error) {
	said, err := e.programs.Exec(ctx, proc.Command{
		Path: e.programs.program("pg_controldata"), Args: []string{"--pgdata=" + e.dataDir()}, Dir: e.server.Folder,
	}).Output()
	if err != nil {
		return c, fmt.Errorf("read the state of the data directory: %w", err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(said)) {
		if name, value, found := strings.Cut(line, ":"); found {
			values[name] = strings.TrimSpace(value)
		}
	}
	switch values["Database cluster state"] {
	case "shut down":
		c.clean = true
	case "shut down in recovery":
		c.clean, c.recovering = true, true
	case "in archive recovery":
		c.recovering = true
	}
	c.system = values["Database system identifier"]
	c.checkpoint, err = controlPosition(values["Latest checkpoint's TimeLineID"], values["Latest checkpoint location"])
	if err == nil {
		c.replayed, err = controlPosition(values["Min recovery ending loc's timeline"], values["Minimum recovery ending location"])
	}
	if err != nil {
		return c, fmt.Errorf("read the state of the data directory: %w", err)
	}
	if c.replayed.at < c.checkpoint.at {
		c.replayed = c.checkpoint
	}
	return c, nil
}

func controlPosition(timeline, at string) (position, error) {
	t, err := strconv.ParseUint(timeline, 10, 32)
	if err != nil {
		return position{}, err
	}
	l, err := parseLSN(at)
	return position{uint32(t), l}, err
}

// unreachable is the kind of failure that passes.
func unreachable(cause error) error {
	return errs.New(errs.Unavailable, "DATABASE_UNREACHABLE", "The database does not answer.").Because(cause)
}
