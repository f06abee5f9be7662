package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const (
	// batch is how many messages are on their way to JetStream at a time.
	batch = 256
	// ackTimeout is how long an ack is waited for; a message without one is sent again.
	ackTimeout = 5 * time.Second
	// firstPause and longestPause bound the pause after a failure; it doubles in between.
	firstPause   = 50 * time.Millisecond
	longestPause = 2 * time.Second
)

var errNoAck = errors.New("no ack in time")

// Relay sends what the outbox holds.
type Relay struct {
	store store.Outbox
	conn  *nats.Conn
	js    jetstream.JetStream
	// rush is what it gives way to.
	rush *Rush
	// replicas of streams that have to be made anew; 0 is one.
	replicas int
	logger   *slog.Logger
	// look has room for one signal.
	look chan struct{}
}

// NewRelay makes a relay, which gives way to the rush. replicas is how many servers hold the streams that it has to make anew; 0 is one.
func NewRelay(outbox store.Outbox, conn *nats.Conn, rush *Rush, replicas int, logger *slog.Logger) (*Relay, error) {
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncTimeout(ackTimeout))
	if err != nil {
		return nil, fmt.Errorf("open JetStream: %w", err)
	}
	return &Relay{
		store: outbox, conn: conn, js: js, rush: rush, replicas: replicas, logger: logger, look: make(chan struct{}, 1),
	}, nil
}

// Look has the outbox looked into without a commit of one's own.
func (r *Relay) Look() {
	select {
	case r.look <- struct{}{}:
	default:
	}
}

// Run sends until the context ends. A failure is logged when it begins and when it is over, and not in between.
func (r *Relay) Run(ctx context.Context) {
	wait := firstPause
	failing := false
	for ctx.Err() == nil {
		sent, err := r.send(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if !failing {
				r.logger.Warn("messages wait in the outbox", "error", err)
			}
			failing = true
			pause.For(ctx, wait)
			wait = min(2*wait, longestPause)
			r.restore(ctx)
		case sent == batch:
			// There may be more.
		default:
			if failing {
				r.logger.Info("the outbox is sent again")
			}
			failing, wait = false, firstPause
			r.await(ctx)
		}
	}
}

func (r *Relay) await(ctx context.Context) {
	select {
	case <-r.store.Committed():
		r.rush.await(ctx)
	case <-r.look:
	case <-ctx.Done():
	}
}

// send sends the oldest messages and forgets those that were acked; sent is how many there were.
func (r *Relay) send(ctx context.Context) (sent int, err error) {
	messages, err := r.store.Pending(ctx, batch)
	if err != nil || len(messages) == 0 {
		return 0, err
	}
	if !r.conn.IsConnected() {
		return 0, nats.ErrDisconnected
	}
	acked, err := r.publish(ctx, messages)
	// What was acked is forgotten also when the context has just ended, so that the next start need not repeat it.
	if forgetting := r.store.Sent(context.WithoutCancel(ctx), acked); forgetting != nil {
		return 0, errors.Join(err, forgetting)
	}
	return len(messages), err
}

// publish has all messages on their way before it waits for the first ack.
func (r *Relay) publish(ctx context.Context, messages []store.OutboxMessage) (acked []int64, err error) {
	futures := make([]jetstream.PubAckFuture, 0, len(messages))
	for _, m := range messages {
		future, publishing := r.js.PublishMsgAsync(&nats.Msg{Subject: m.Subject, Data: m.Payload},
			jetstream.WithMsgID(m.MessageID))
		if publishing != nil {
			err = fmt.Errorf("publish to %s: %w", m.Subject, publishing)
			break
		}
		futures = append(futures, future)
	}
	deadline := time.NewTimer(ackTimeout)
	defer deadline.Stop()
	for i, future := range futures {
		select {
		case <-future.Ok():
			acked = append(acked, messages[i].ID)
		case refused := <-future.Err():
			err = errors.Join(err, fmt.Errorf("publish to %s: %w", messages[i].Subject, refused))
		case <-deadline.C:
			return acked, errors.Join(err, errNoAck)
		case <-ctx.Done():
			return acked, errors.Join(err, ctx.Err())
		}
	}
	return acked, err
}

// restore makes the streams anew, which are missing when JetStream has lost its files.
func (r *Relay) restore(ctx context.Context) {
	if !r.conn.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	if err := bus.Setup(ctx, r.js, bus.WithReplicas(r.replicas)); err != nil {
		r.logger.Debug("streams cannot be set up", "error", err)
	}
}
