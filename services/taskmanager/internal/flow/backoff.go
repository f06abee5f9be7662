package flow

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff is how long to pause before trying again: from Initial, doubled each time, to at most Max, with up to half
// of it taken off at random so that many who failed together do not come back together.
type Backoff struct {
	Initial time.Duration
	Max     time.Duration
	// Attempts bounds the attempts; 0 leaves it to the time limit.
	Attempts int
}

var defaultBackoff = Backoff{Initial: 50 * time.Millisecond, Max: 5 * time.Second}

// delay is the pause after the given failed attempt, counted from 1.
func (b Backoff) delay(attempt int) time.Duration {
	pause := b.Max
	if shift := attempt - 1; shift < 30 {
		pause = min(b.Max, b.Initial<<shift)
	}
	if pause <= 0 {
		return 0
	}
	return pause - rand.N(pause/2+1) //nolint:gosec // jitter needs no secrecy
}

// pause waits, or answers with the cause of whichever context ended first.
func pause(length time.Duration, contexts ...context.Context) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	ended := make(chan error, len(contexts))
	for _, ctx := range contexts {
		stop := context.AfterFunc(ctx, func() { ended <- context.Cause(ctx) })
		defer stop()
	}
	select {
	case <-timer.C:
		return nil
	case err := <-ended:
		return err
	}
}
