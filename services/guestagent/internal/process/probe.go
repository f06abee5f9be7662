package process

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/pause"
)

const (
	// A database that starts is asked after each of its signs, and then after pauses that double: what a sign announces
	// comes a moment after it, and who asks more often takes from the start the processors it needs.
	firstProbe = time.Millisecond
	lastProbe  = 20 * time.Millisecond
	// answerLimit bounds one question.
	answerLimit = 3 * time.Second
	// missedPause is the pause after a question without an answer.
	missedPause = time.Second
)

// prober asks one database process whether it answers, until its context ends.
type prober struct {
	answers chan struct{}
	cancel  context.CancelFunc
	ended   chan struct{}
	// missed is what became of the last question.
	missed atomic.Pointer[error]
}

// probe begins to ask and tells of each answer: of the first as soon as it can be had, then interval by interval.
func probe(ctx context.Context, database Database, interval time.Duration, log *slog.Logger) *prober {
	ctx, cancel := context.WithCancel(ctx)
	p := &prober{answers: make(chan struct{}), cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.awaitFirst(ctx, database, log)
		p.repeat(ctx, database, interval)
	}()
	return p
}

// stop ends the asking and waits for its end.
func (p *prober) stop() {
	p.cancel()
	<-p.ended
}

func (p *prober) awaitFirst(ctx context.Context, database Database, log *slog.Logger) {
	signs, err := watchFolder(database.Signs())
	if err != nil {
		log.Warn("the signs of the database's start are not seen; it is asked all the more", "error", err)
	}
	defer signs.close()
	next := firstProbe
	for p.ask(ctx, database) != nil {
		timer := time.NewTimer(next)
		select {
		case <-signs.seen():
			next = firstProbe
		case <-timer.C:
			next = min(2*next, lastProbe)
		case <-ctx.Done():
			return
		}
		timer.Stop()
	}
	p.tell(ctx)
}

func (p *prober) repeat(ctx context.Context, database Database, interval time.Duration) {
	for next := interval; pause.For(ctx, next); {
		if p.ask(ctx, database) != nil {
			next = min(interval, missedPause)
			continue
		}
		next = interval
		p.tell(ctx)
	}
}

func (p *prober) tell(ctx context.Context) {
	select {
	case p.answers <- struct{}{}:
	case <-ctx.Done():
	}
}

func (p *prober) ask(ctx context.Context, database Database) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	err := database.Answers(ctx)
	p.missed.Store(&err)
	return err
}

// whyMissed is nil as long as nothing is known.
func (p *prober) whyMissed() error {
	if missed := p.missed.Load(); missed != nil {
		return *missed
	}
	return nil
}
