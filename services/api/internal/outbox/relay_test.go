package outbox_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/natstest"
	"github.com/coffer-dbaas/coffer/services/api/internal/outbox"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const patience = 30 * time.Second

// sharedOutbox is the table that all apis of a state write to. The commits of others ring nowhere.
type sharedOutbox struct {
	mu       sync.Mutex
	messages []store.OutboxMessage
	sent     chan int64
}

func (o *sharedOutbox) Pending(context.Context, int) ([]store.OutboxMessage, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]store.OutboxMessage(nil), o.messages...), nil
}

func (o *sharedOutbox) Sent(_ context.Context, ids []int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range ids {
		o.messages = o.messages[1:]
		o.sent <- id
	}
	return nil
}

func (o *sharedOutbox) Committed() <-chan struct{} { return nil }

func (o *sharedOutbox) add(m store.OutboxMessage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.messages = append(o.messages, m)
}

func TestARelaySendsWhatAnotherAPICommittedAndDidNotLiveToSend(t *testing.T) {
	conn, js := natstest.JetStream(t)
	table := &sharedOutbox{sent: make(chan int64, 1)}
	relay, err := outbox.NewRelay(table, conn, &outbox.Rush{}, 0, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		relay.Run(ctx)
	}()
	defer func() {
		stop()
		<-ended
	}()

	table.add(store.OutboxMessage{
		ID: 7, MessageID: "task/1", Subject: bus.EventSubject("project", "task"), Payload: []byte("x"),
	})
	relay.Look()
	select {
	case id := <-table.sent:
		assert.Equal(t, int64(7), id)
	case <-time.After(patience):
		require.FailNow(t, "the message was not sent")
	}
	stream, err := js.Stream(t.Context(), bus.EventStream)
	require.NoError(t, err)
	assert.Equal(t, uint64(1), stream.CachedInfo().State.Msgs)
}
