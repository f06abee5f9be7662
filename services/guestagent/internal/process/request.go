package process

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

type command int

const (
	// start brings the database up and keeps it there.
	start command = iota
	// restart stops it, if it runs, and starts it.
	restart
	// stop brings it down and keeps it there.
	stop
	// halt brings it down because the machine goes down, and keeps the wanted state.
	halt
)

type request struct {
	command command
	// done has room for the answer, so the loop never waits for who asked.
	done chan error
}

// RequestAndWaitStart keeps the database running from now on and waits until it answers. The error says why it did
// not come up, or is the context's cause; the loop goes on trying in either case.
func (l *Loop) RequestAndWaitStart(ctx context.Context) error { return l.ask(ctx, start) }

// RequestAndWaitRestart stops the database, if it runs, starts it, and waits until it answers.
func (l *Loop) RequestAndWaitRestart(ctx context.Context) error { return l.ask(ctx, restart) }

// RequestAndWaitStop keeps the database stopped from now on and waits until its process has ended.
func (l *Loop) RequestAndWaitStop(ctx context.Context) error { return l.ask(ctx, stop) }

// RequestAndWaitHalt stops the database and leaves the wanted state as it is, for the next start of the machine. The
// loop starts nothing after that.
func (l *Loop) RequestAndWaitHalt(ctx context.Context) error { return l.ask(ctx, halt) }

func (l *Loop) ask(ctx context.Context, c command) error {
	r := request{command: c, done: make(chan error, 1)}
	select {
	case l.requests <- r:
	case <-l.ended:
		return errEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-r.done:
		return err
	case <-l.ended:
		return errEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var (
	errEnded     = errs.New(errs.Unavailable, "AGENT_STOPPING", "The guest agent stops.")
	errOvertaken = errs.New(errs.Conflict, "OVERTAKEN", "Another command for the database came in between.")
)

// waiters are requests whose end has not come.
type waiters []chan error

func (w *waiters) answer(err error) {
	for _, done := range *w {
		done <- err
	}
	*w = nil
}

// startFailure says what became of a start, and what the database's log says of it, where there was a process to log.
func startFailure(what, log string, cause error) error {
	sentence := "The database did not start: " + what + "."
	if log != "" {
		sentence += " Its log says: " + log
	}
	return errs.New(errs.Internal, "DATABASE_NOT_STARTED", "%s", sentence).Because(cause)
}
