package operation

import (
	"context"
	"sync"
)

// run is an operation that works; any number of callers follow it.
type run struct {
	// epoch is the newest that asked for it; the journal's lock guards it.
	epoch int64

	mu       sync.Mutex
	messages []string
	ended    bool
	err      error
	changed  chan struct{}
}

func newRun(epoch int64) *run { return &run{epoch: epoch, changed: make(chan struct{})} }

func (r *run) tell(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, message)
	r.wake()
}

func (r *run) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended, r.err = true, err
	r.wake()
}

func (r *run) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// follow tells every message, also those from before the caller came, and returns the outcome.
func (r *run) follow(ctx context.Context, tell func(string) error) error {
	for told := 0; ; {
		r.mu.Lock()
		news, ended, err, changed := r.messages[told:], r.ended, r.err, r.changed
		r.mu.Unlock()
		for _, message := range news {
			if err := tell(message); err != nil {
				return err
			}
		}
		told += len(news)
		if ended {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
