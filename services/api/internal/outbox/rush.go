package outbox

import (
	"context"
	"sync"
	"time"
)

// longestRush bounds how long messages wait for a rush to be over.
const longestRush = 20 * time.Millisecond

// Rush is the requests that are being accepted right now. While there are any, the relay lets the work behind those
// that were accepted before wait: on the same machine it takes processors and disk from the answers that users wait for.
// A request that is alone is answered at once, and so is its work begun.
type Rush struct {
	mu     sync.Mutex
	inside int
	// over is closed when nobody is inside any more; it is nil while nobody is.
	over chan struct{}
}

// Enter adds a request, which leaves once it is accepted or refused.
func (r *Rush) Enter() (leave func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inside++; r.inside == 1 {
		r.over = make(chan struct{})
	}
	return r.leave
}

func (r *Rush) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inside--; r.inside == 0 {
		close(r.over)
		r.over = nil
	}
}

// await returns when the rush is over, if there is one.
func (r *Rush) await(ctx context.Context) {
	r.mu.Lock()
	over := r.over
	r.mu.Unlock()
	if over == nil {
		return
	}
	longest := time.NewTimer(longestRush)
	defer longest.Stop()
	select {
	case <-over:
	case <-longest.C:
	case <-ctx.Done():
	}
}
