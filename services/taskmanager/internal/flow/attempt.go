package flow

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// The causes with which time limits end a context.
var (
	errStepTime = errors.New("the step's time is over")
	errTaskTime = errors.New("the task's time is over")
)

// job is a step, or its undo, to be done with retries and within a limit.
type job struct {
	name  string
	undo  bool
	do    Func
	limit time.Duration
	retry Backoff
	// waits lets a stop or a shutdown cut the job off; stoppable lets a stop end the pauses between its attempts.
	waits     bool
	stoppable bool
	// again is told of each attempt that failed and is followed by another.
	again func(err error)
}

// attempts answers nil, the step's error, or why it was cut off: errStopped, ErrInterrupted, or the end of the run.
func (x *execution) attempts(ctx context.Context, j job) error {
	ctx, cancel := context.WithTimeoutCause(ctx, j.limit, errStepTime)
	defer cancel()
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	if j.waits && !x.run.past.Load() {
		defer context.AfterFunc(x.writer.stopped, func() { cut(errStopped) })() //nolint:contextcheck // a signal
	}
	if j.waits {
		defer context.AfterFunc(x.shutdown, func() { cut(ErrInterrupted) })() //nolint:contextcheck // a signal
	}
	var last error
	for attempt := 1; ; attempt++ {
		err := x.attempt(ctx, j)
		if err == nil {
			return nil
		}
		if tells(err) {
			last = err
		}
		if ctx.Err() != nil {
			return x.cutOff(ctx, j, last)
		}
		if IsSuperseded(err) {
			return x.writer.over(ErrSuperseded)
		}
		if !x.mayPass(err) || attempt == j.retry.Attempts {
			return err
		}
		x.logger.Warn("attempt failed, trying again", "step", j.name, "undo", j.undo, "attempt", attempt, "error", err)
		j.again(err)
		breaks, stoppable := []context.Context{ctx, x.shutdown}, j.stoppable && !x.run.past.Load()
		if stoppable {
			breaks = append(breaks, x.writer.stopped)
		}
		if pause(j.retry.delay(attempt), breaks...) == nil { //nolint:contextcheck // ctx is among them
			continue
		}
		switch {
		case ctx.Err() != nil:
			return x.cutOff(ctx, j, last)
		case stoppable && x.writer.stopped.Err() != nil:
			return errStopped
		default:
			return ErrInterrupted
		}
	}
}

// mayPass says whether to try again. Past the point of no return all is tried that nobody called hopeless.
func (x *execution) mayPass(err error) bool {
	return transient(err) || x.run.past.Load() && !isTerminal(err)
}

// cutOff says why a job's context ended.
func (x *execution) cutOff(ctx context.Context, j job, last error) error {
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errStepTime):
		return stepTimeout(j.limit, last)
	case errors.Is(cause, errTaskTime):
		return taskTimeout(x.workflow.action.Timeout, last)
	}
	return cause
}

// tells says whether an error says more than that a context ended.
func tells(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false
	}
	s, fromPeer := status.FromError(err)
	return !fromPeer || s.Code() != codes.DeadlineExceeded && s.Code() != codes.Canceled
}

// attempt does the job once. A panic is a failed attempt that would only fail again.
func (x *execution) attempt(ctx context.Context, j job) (err error) {
	suffix := ""
	if j.undo {
		suffix = "/undo"
	}
	x.run.begin(j.name, suffix)
	return x.observer.observeStep(ctx, x, j, func(ctx context.Context) (err error) {
		defer func() {
			if fault := recover(); fault != nil {
				x.logger.Error("step panicked", "step", j.name, "panic", fault, "stack", string(debug.Stack()))
				err = Terminal(CodePanic, errs.New(errs.Internal, CodePanic, "the program has a fault here; the taskmanager's log has the details"))
			}
		}()
		return j.do(ctx, x.run)
	})
}
