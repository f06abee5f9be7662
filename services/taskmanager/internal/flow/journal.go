package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/crashpoint"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// Journal is what a run needs of journalv1.JournalServiceClient.
type Journal interface {
	RenewLease(context.Context, *journalv1.RenewLeaseRequest, ...grpc.CallOption) (*journalv1.RenewLeaseResponse, error)
	RecordSteps(context.Context, *journalv1.RecordStepsRequest, ...grpc.CallOption) (*journalv1.RecordStepsResponse, error)
	FinishTask(context.Context, *journalv1.FinishTaskRequest, ...grpc.CallOption) (*journalv1.FinishTaskResponse, error)
	GetSecrets(context.Context, *journalv1.GetSecretsRequest, ...grpc.CallOption) (*journalv1.GetSecretsResponse, error)
}

// phase is a kind of journal write, as crash points name it.
type phase string

const (
	phasePast    phase = "past"
	phaseDone    phase = "done"
	phaseFailed  phase = "failed"
	phaseUndoing phase = "undoing"
	phaseUndone  phase = "undone"
	phaseFinish  phase = "finish"
)

var writeBackoff = Backoff{Initial: 20 * time.Millisecond, Max: time.Second}

// writer is a run's hold on the journal: it writes the records, keeps the lease, and learns from both of stops and of
// being superseded. Its life context ends, with the reason as its cause, when the run may write no more.
type writer struct {
	journal Journal
	run     *journalv1.Run
	action  string
	lease   time.Duration
	logger  *slog.Logger

	life context.Context
	end  context.CancelCauseFunc
	// stopped ends when the journal asks the run to stop.
	stopped context.Context
	stop    context.CancelCauseFunc

	// writing serializes records, so that a note of a running step never comes after the step's end.
	writing sync.Mutex

	mu       sync.Mutex
	stopMode journalv1.StopMode
}

func newWriter(ctx context.Context, journal Journal, claim *journalv1.ClaimTaskResponse, action string, logger *slog.Logger) *writer {
	w := &writer{
		journal: journal, run: claim.GetRun(), action: action, logger: logger,
		lease: time.Duration(claim.GetLeaseMilliseconds()) * time.Millisecond,
	}
	w.life, w.end = context.WithCancelCause(ctx)
	w.stopped, w.stop = context.WithCancelCause(w.life)
	w.heard(claim.GetStop())
	return w
}

// stopping is how the journal wants the run to stop, if at all.
func (w *writer) stopping() journalv1.StopMode {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopMode
}

func (w *writer) heard(mode journalv1.StopMode) {
	if mode == journalv1.StopMode_STOP_MODE_UNSPECIFIED {
		return
	}
	w.mu.Lock()
	w.stopMode = mode
	w.mu.Unlock()
	w.stop(errStopped)
}

// record writes steps. It answers when the record is durable or the run may write no more. build changes the records
// and makes the request of them.
func (w *writer) record(ctx context.Context, at phase, stepName string, build func() *journalv1.RecordStepsRequest) error {
	var request *journalv1.RecordStepsRequest
	w.atomically(func() {
		request = build()
		request.Run = w.run
	})
	return w.write(ctx, at, stepName, func(ctx context.Context) error {
		response, err := w.journal.RecordSteps(ctx, request)
		w.heard(response.GetStop())
		return err
	})
}

// atomically changes the records when no note of them is on its way.
func (w *writer) atomically(change func()) {
	w.writing.Lock()
	defer w.writing.Unlock()
	change()
}

// finish writes the task's end. It is false when only the last step was written, because the journal asks the run to stop.
// A repetition of an end that was written, but whose answer was lost, is refused as superseded: the task has ended either
// way.
func (w *writer) finish(ctx context.Context, request *journalv1.FinishTaskRequest) (ended bool, err error) {
	request.Run = w.run
	err = w.write(ctx, phaseFinish, "finish", func(ctx context.Context) error {
		response, err := w.journal.FinishTask(ctx, request)
		w.heard(response.GetStop())
		ended = err == nil && response.GetStop() == journalv1.StopMode_STOP_MODE_UNSPECIFIED
		return err
	})
	return ended, err
}

// write repeats a record until it is durable. Repeating is safe: a record says what is, not what changes.
func (w *writer) write(ctx context.Context, at phase, stepName string, send func(context.Context) error) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	point := fmt.Sprintf("%s/%s/%s", w.action, stepName, at)
	crashpoint.Here(point + "/before")
	for attempt := 1; ; attempt++ {
		if ended := w.ended(); ended != nil {
			return ended
		}
		err := w.call(ctx, send)
		if err == nil {
			crashpoint.Here(point + "/after")
			return nil
		}
		if IsSuperseded(err) {
			return w.over(ErrSuperseded)
		}
		if !unanswered(err) {
			return w.over(fmt.Errorf("%w: %s: %w", ErrRefused, point, err))
		}
		w.logger.Warn("journal does not answer, trying again", "record", point, "attempt", attempt, "error", err)
		if err := pause(writeBackoff.delay(attempt), w.life); err != nil { //nolint:contextcheck // ctx is life's child
			return err
		}
	}
}

// call bounds a call so that it fits into the lease several times.
func (w *writer) call(ctx context.Context, send func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, w.lease/3)
	defer cancel()
	return send(ctx)
}

// over ends the run for a reason; the first one counts.
func (w *writer) over(reason error) error {
	w.end(reason)
	return context.Cause(w.life)
}

// ended is why the run may write no more; nil while it may.
func (w *writer) ended() error { return context.Cause(w.life) }

// unanswered says whether a journal call failed in a way that may pass: the api is away, or its database is.
func unanswered(err error) bool {
	return errs.IsKind(err, errs.Unavailable) || errs.IsKind(err, errs.Internal) || errors.Is(err, context.DeadlineExceeded)
}
