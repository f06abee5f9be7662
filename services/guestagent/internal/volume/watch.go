package volume

import (
	"context"
	"log/slog"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
)

const (
	// interval is the shortest pause between two measurements.
	interval = 30 * time.Second
	// share is what part of the time a walk may take at most: one thousandth.
	share = 1000
	// warnPercent is the use from which on the log warns.
	warnPercent = 90
)

// Watch measures a volume again and again.
type Watch struct {
	Folder string
	// Limit is the volume's size in bytes now, or 0; it is asked each time, since a volume may grow.
	Limit func() (uint64, error)
	// SetReadOnly holds the database at a full volume.
	SetReadOnly func(ctx context.Context, on bool) error
	Hub         *report.Hub
	Log         *slog.Logger
	// Now asks for a measurement at once; nil: nobody does.
	Now <-chan struct{}
	// Interval is for tests.
	Interval time.Duration

	warned bool
	// use is the last measurement; limited says that nothing but the agent holds the volume to its size.
	use     report.Volume
	limited bool
	// held is what the database process with the number told was told: to be read-only.
	told int64
	held bool
}

// Run measures until the context ends. What fails is logged and tried again the next time.
func (w *Watch) Run(ctx context.Context) {
	if w.Interval == 0 {
		w.Interval = interval
	}
	sequence := w.Hub.Latest().Sequence
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		reports, changed := w.Hub.After(sequence)
		for _, r := range reports {
			sequence = r.Sequence
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
			w.hold(ctx)
		case <-w.Now:
			timer.Reset(0)
		case <-timer.C:
			began := time.Now()
			w.measure(ctx)
			timer.Reset(max(w.Interval, share*time.Since(began)))
		}
	}
}

func (w *Watch) measure(ctx context.Context) {
	limit, err := w.Limit()
	if err != nil {
		w.Log.Warn("the volume's size is not known", "error", err)
		return
	}
	use, err := Measure(ctx, w.Folder, limit)
	if err != nil {
		if ctx.Err() == nil {
			w.Log.Warn("the volume could not be measured", "error", err)
		}
		return
	}
	w.use, w.limited = use, limit != 0
	w.Hub.Update(func(s *report.Status) { s.Volume = use })
	w.warn(use)
	w.hold(ctx)
}

func (w *Watch) warn(use report.Volume) {
	high := use.Total > 0 && use.Used >= use.Total/100*warnPercent
	if high && !w.warned {
		w.Log.Warn("the volume is nearly full", "used_bytes", use.Used, "total_bytes", use.Total)
	}
	w.warned = high
}

// hold makes a database read-only whose folder has reached its limit, and lets it go when there is room again. A new
// process knows nothing of that and is told anew.
func (w *Watch) hold(ctx context.Context) {
	latest := w.Hub.Latest()
	full := w.use.Used >= w.use.Total
	if !w.limited || latest.Service != status.ServiceHealthy || (latest.Starts == w.told && full == w.held) {
		return
	}
	if err := w.SetReadOnly(ctx, full); err != nil {
		w.Log.Warn("the database could not be held to its volume", "read_only", full, "error", err)
		return
	}
	if full != w.held {
		w.Log.Warn("the database follows its volume", "read_only", full, "used_bytes", w.use.Used, "total_bytes", w.use.Total)
	}
	w.told, w.held = latest.Starts, full
}
