package openstack

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pause"
)

const (
	// pollGrowth and slowestPoll say how the pauses between looks at one resource grow, in poll intervals.
	pollGrowth  = 1.3
	slowestPoll = 10
	// fewLooks is up to how many resources are looked at one by one; more share a list call.
	fewLooks = 3
)

// lookout looks at resources for all who wait for one, at most once an interval, and at many with one call.
type lookout[T any] struct {
	interval time.Duration
	// one answers NotFound for a resource that is gone.
	one func(ctx context.Context, id string) (T, error)
	// recent are those that may have changed lately, by id; one that is missing there is asked for by itself.
	recent func(ctx context.Context) (map[string]T, error)

	mu   sync.Mutex
	next *look[T]
	last time.Time
}

// look is one round. Whoever asks first makes it, for all who join before it begins.
type look[T any] struct {
	ids  map[string]bool
	done chan struct{}
	seen map[string]T
	errs map[string]error
}

// at answers with the resource as it is in the next round.
func (l *lookout[T]) at(ctx context.Context, id string) (seen T, err error) {
	for {
		round, first := l.join(id)
		if first {
			l.make(ctx, round)
		}
		select {
		case <-round.done:
		case <-ctx.Done():
			return seen, ctx.Err()
		}
		if found, ok := round.seen[id]; ok {
			return found, nil
		}
		if err := round.errs[id]; err != nil && (first || ctx.Err() != nil || !errs.IsReason(err, reasonLeft)) {
			return seen, err
		}
		// Who made the round was called away; the next one is made by somebody else.
	}
}

const reasonLeft = "OPENSTACK_LEFT"

func (l *lookout[T]) join(id string) (round *look[T], first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if first = l.next == nil; first {
		l.next = &look[T]{ids: map[string]bool{}, done: make(chan struct{}), seen: map[string]T{}, errs: map[string]error{}}
	}
	l.next.ids[id] = true
	return l.next, first
}

func (l *lookout[T]) make(ctx context.Context, round *look[T]) {
	l.mu.Lock()
	due := l.last.Add(l.interval)
	l.mu.Unlock()
	waited := pause.For(ctx, time.Until(due))
	l.mu.Lock()
	l.next, l.last = nil, time.Now()
	l.mu.Unlock()
	defer close(round.done)
	if !waited {
		for id := range round.ids {
			round.errs[id] = errs.New(errs.Unavailable, reasonLeft, "Nobody looked.").Because(ctx.Err())
		}
		return
	}
	if len(round.ids) > fewLooks {
		seen, err := l.recent(ctx)
		for id := range round.ids {
			if found, ok := seen[id]; ok {
				round.seen[id] = found
			} else if err != nil {
				round.errs[id] = err
			}
		}
	}
	for id := range round.ids {
		if _, ok := round.seen[id]; ok || round.errs[id] != nil {
			continue
		}
		if found, err := l.one(ctx, id); err != nil {
			round.errs[id] = err
		} else {
			round.seen[id] = found
		}
	}
}

// until looks until done says so or fails, with growing pauses; what passes is looked at again. It ends with ctx.
func (l *lookout[T]) until(ctx context.Context, id string, done func(seen T, err error) (bool, error)) (T, error) {
	wait := l.interval
	for {
		if !pause.For(ctx, jittered(wait)) {
			var none T
			return none, ctx.Err()
		}
		seen, err := l.at(ctx, id)
		if ctx.Err() != nil {
			return seen, ctx.Err()
		}
		if !errs.IsKind(err, errs.Unavailable) {
			if ok, err := done(seen, err); ok || err != nil {
				return seen, err
			}
		}
		wait = min(time.Duration(float64(wait)*pollGrowth), slowestPoll*l.interval)
	}
}

// jittered keeps those who began together from asking together for ever; it never shortens the pause.
func jittered(wait time.Duration) time.Duration {
	return wait + rand.N(wait/10+1) //nolint:gosec // jitter needs no secrecy
}
