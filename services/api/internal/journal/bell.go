package journal

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/coffer-dbaas/coffer/pkg/bus"
)

// Bell wakes those who watch the set of guests, at this api and at all others. A ring that is lost on the way costs
// time: monitors ask again at every interval anyway.
type Bell struct {
	conn   *nats.Conn
	logger *slog.Logger
	// life ends the watches.
	life context.Context //nolint:containedctx // the bell's own life, ended by Close
	end  context.CancelFunc

	mu        sync.Mutex
	listeners map[chan struct{}]struct{}
	// monitors are the living ones, as last heard of.
	monitors string
}

// NewBell makes a bell.
func NewBell(conn *nats.Conn, logger *slog.Logger) (*Bell, error) {
	b := &Bell{conn: conn, logger: logger, listeners: map[chan struct{}]struct{}{}}
	b.life, b.end = context.WithCancel(context.Background())
	subscription, err := conn.Subscribe(bus.GuestsChanged, func(*nats.Msg) { b.wake() })
	if err != nil {
		return nil, fmt.Errorf("listen for changes of the set of guests: %w", err)
	}
	context.AfterFunc(b.life, func() {
		if err := subscription.Unsubscribe(); err != nil && !conn.IsClosed() {
			logger.Debug("the bell cannot be taken down", "error", err)
		}
	})
	return b, nil
}

// Close ends the watches.
func (b *Bell) Close() { b.end() }

// Ring wakes all listeners.
func (b *Bell) Ring() {
	b.wake()
	if err := b.conn.Publish(bus.GuestsChanged, nil); err != nil {
		b.logger.Debug("other apis are not told of a change of the set of guests", "error", err)
	}
}

func (b *Bell) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for listener := range b.listeners {
		select {
		case listener <- struct{}{}:
		default:
		}
	}
}

// listen is a channel that fires after each ring, several of which may become one; stop gives it up.
func (b *Bell) listen() (rings <-chan struct{}, stop func()) {
	listener := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listeners[listener] = struct{}{}
	return listener, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, listener)
	}
}
