package outbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/pulse"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// purgeEvery is how often expired tokens and idempotency keys are removed.
const purgeEvery = 10 * time.Minute

// Sweep rings again, and removes what has expired.
type Sweep struct {
	store interface {
		RingDue(ctx context.Context, age time.Duration) (int, error)
		PurgeExpired(ctx context.Context, now time.Time) error
	}
	relay  *Relay
	every  time.Duration
	now    func() time.Time
	logger *slog.Logger
}

// NewSweep makes a sweep that looks again at every interval, and has the relay look too.
func NewSweep(s store.Store, relay *Relay, every time.Duration, now func() time.Time, logger *slog.Logger) *Sweep {
	return &Sweep{store: s, relay: relay, every: every, now: now, logger: logger}
}

// Run sweeps at once and then on and on until the context ends. The first sweep rings all that is due, however lately
// it was rung: what was on its way when the former run ended may have been lost.
func (s *Sweep) Run(ctx context.Context) {
	s.ring(ctx, 0)
	ring := time.NewTimer(pulse.Next(s.every))
	defer ring.Stop()
	purge := time.NewTicker(purgeEvery)
	defer purge.Stop()
	for {
		select {
		case <-ring.C:
			ring.Reset(pulse.Next(s.every))
			s.ring(ctx, s.every)
			// Another api of the same state may have died between its commit and its sending.
			s.relay.Look()
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
