package outbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const (
	// sweepEvery is how often tasks are looked for that nobody works on though they are due.
	sweepEvery = 5 * time.Second
	// purgeEvery is how often expired tokens and idempotency keys are removed.
	purgeEvery = 10 * time.Minute
)

// Sweep rings again, and removes what has expired.
type Sweep struct {
	store interface {
		RingDue(ctx context.Context, age time.Duration) (int, error)
		PurgeExpired(ctx context.Context, now time.Time) error
	}
	now    func() time.Time
	logger *slog.Logger
}

// NewSweep makes a sweep.
func NewSweep(s store.Store, now func() time.Time, logger *slog.Logger) *Sweep {
	return &Sweep{store: s, now: now, logger: logger}
}

// Run sweeps at once and then on and on until the context ends. The first sweep rings all that is due, however lately
// it was rung: what was on its way when the former run ended may have been lost.
func (s *Sweep) Run(ctx context.Context) {
	s.ring(ctx, 0)
	ring := time.NewTicker(sweepEvery)
	defer ring.Stop()
	purge := time.NewTicker(purgeEvery)
	defer purge.Stop()
	for {
		select {
		case <-ring.C:
			s.ring(ctx, sweepEvery)
		case <-purge.C:
			if err := s.store.PurgeExpired(ctx, s.now()); err != nil && ctx.Err() == nil {
				s.logger.Warn("expired rows cannot be removed", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (s *Sweep) ring(ctx context.Context, age time.Duration) {
	rung, err := s.store.RingDue(ctx, age)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.logger.Warn("due tasks cannot be rung", "error", err)
	case rung > 0:
		s.logger.Info("rang for tasks that wait", "tasks", rung)
	}
}
