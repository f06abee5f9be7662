package flow

import (
	"context"
	"time"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

const (
	// noteInterval is how often at most the progress within a step is recorded.
	noteInterval = time.Second
	// renewAgain is the pause after a renewal that got no answer.
	renewAgain = 500 * time.Millisecond
)

// keep holds the lease until the writer's life ends, and records what a long step says. note answers with the record of
// the running step if there is something new to tell, else nil.
func (w *writer) keep(ctx context.Context, claimed time.Time, note func() *journalv1.RecordStepsRequest) {
	notes := time.NewTicker(noteInterval)
	defer notes.Stop()
	renew := time.NewTimer(w.lease / 3)
	defer renew.Stop()
	held := claimed
	for {
		select {
		case <-w.life.Done():
			return
		case <-notes.C:
			w.note(ctx, note)
		case <-renew.C:
			asked := time.Now()
			if w.renew(ctx) {
				held = asked
				renew.Reset(w.lease / 3)
				continue
			}
			if time.Since(held) >= w.lease {
				w.end(ErrLeaseLost)
				return
			}
			renew.Reset(min(renewAgain, w.lease/3))
		}
	}
}

func (w *writer) renew(ctx context.Context) bool {
	err := w.call(ctx, func(ctx context.Context) error {
		response, err := w.journal.RenewLease(ctx, &journalv1.RenewLeaseRequest{Run: w.run})
		w.heard(response.GetStop())
		return err
	})
	if err == nil {
		return true
	}
	if IsSuperseded(err) {
		w.end(ErrSuperseded)
		return false
	}
	if w.life.Err() == nil {
		w.logger.Warn("lease not renewed", "error", err)
	}
	return false
}

// note is worth one attempt: the next one, or the step's end, tells as much.
func (w *writer) note(ctx context.Context, note func() *journalv1.RecordStepsRequest) {
	if !w.writing.TryLock() {
		return
	}
	defer w.writing.Unlock()
	request := note()
	if request == nil {
		return
	}
	request.Run = w.run
	err := w.call(ctx, func(ctx context.Context) error {
		response, err := w.journal.RecordSteps(ctx, request)
		w.heard(response.GetStop())
		return err
	})
	if IsSuperseded(err) {
		w.end(ErrSuperseded)
	}
}
