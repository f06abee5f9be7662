package bus_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/natstest"
)

func TestSetupMayBeRepeated(t *testing.T) {
	_, js := natstest.JetStream(t)
	require.NoError(t, bus.Setup(t.Context(), js))
}

func TestSetupRestoresWhatWasLost(t *testing.T) {
	_, js := natstest.JetStream(t)
	require.NoError(t, js.DeleteStream(t.Context(), bus.CommandStream))
	require.NoError(t, bus.Setup(t.Context(), js))
	_, err := js.Consumer(t.Context(), bus.CommandStream, bus.Consumer(action.Slow))
	require.NoError(t, err)
}

func TestACommandGoesToTheConsumerOfItsLaneAlone(t *testing.T) {
	_, js := natstest.JetStream(t)
	restart, known := action.Lookup(action.RestartInstance)
	require.True(t, known)
	_, err := js.Publish(t.Context(), bus.CommandSubject(restart), []byte("order"), jetstream.WithMsgID(bus.MessageID("t1", 1)))
	require.NoError(t, err)

	quick, err := js.Consumer(t.Context(), bus.CommandStream, bus.Consumer(action.Quick))
	require.NoError(t, err)
	message, err := quick.Next(jetstream.FetchMaxWait(5 * time.Second))
	require.NoError(t, err)
	assert.Equal(t, "order", string(message.Data()))
	require.NoError(t, message.DoubleAck(t.Context()))

	slow, err := js.Consumer(t.Context(), bus.CommandStream, bus.Consumer(action.Slow))
	require.NoError(t, err)
	batch, err := slow.FetchNoWait(1)
	require.NoError(t, err)
	assert.Empty(t, batch.Messages())
}

func TestARepeatedMessageIDIsDropped(t *testing.T) {
	_, js := natstest.JetStream(t)
	restart, _ := action.Lookup(action.RestartInstance)
	for _, ring := range []struct {
		n         int
		duplicate bool
	}{{1, false}, {1, true}, {2, false}} {
		ack, err := js.Publish(t.Context(), bus.CommandSubject(restart), nil, jetstream.WithMsgID(bus.MessageID("t1", ring.n)))
		require.NoError(t, err)
		assert.Equal(t, ring.duplicate, ack.Duplicate)
	}
}
