package process

import (
	"context"
	"syscall"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/proc"
)

// Launcher starts the process of a database. It outlives the agent: what ends the agent, however it ends, leaves the
// process as it is. Once Done is closed the next may be started.
type Launcher interface {
	// Start starts the process; the error says why there is none. A process that ends at once is one that has ended, and
	// no error. The ending is for who stops the process without the agent: a machine that goes down.
	Start(ctx context.Context, command proc.Command, ending Ending) (*proc.Process, error)
}

// Ending is how a process is asked for a clean end, and how long that may take.
type Ending struct {
	Signal syscall.Signal
	Limit  time.Duration
}

// Children launches processes as the agent's own children.
type Children struct{}

// Start needs no ending: where a machine goes down with such processes, the agent is told to stop them.
func (Children) Start(_ context.Context, command proc.Command, _ Ending) (*proc.Process, error) {
	return proc.Start(command)
}
