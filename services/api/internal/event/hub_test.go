package event_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/bus/embedded"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/nettest"
	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/event"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

const patience = 30 * time.Second

// sink hands on what a watch brings.
type sink struct {
	ready  chan struct{}
	events chan *eventv1.WatchEventsResponse
}

func newSink() sink {
	return sink{ready: make(chan struct{}), events: make(chan *eventv1.WatchEventsResponse, 16)}
}

func (s sink) Ready() error {
	close(s.ready)
	return nil
}

func (s sink) Send(r *eventv1.WatchEventsResponse) error {
	s.events <- r
	return nil
}

func TestAWatchOfAStreamThatWasLostEndsAndTheNextOneSeesTheNewStreamWhole(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	address := nettest.FreeAddress(t)
	server := startServer(t, address)
	conn, err := bus.Connect(bus.Config{URL: "nats://" + address}, t.Name(), nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer conn.Close()
	js, err := bus.JetStream(conn)
	require.NoError(t, err)
	hub := event.NewHub(js, 1, 1)
	defer hub.Close()
	caller := identity.Caller{ProjectID: "project"}
	message, err := proto.Marshal(&eventv1.Event{})
	require.NoError(t, err)

	first, ended := newSink(), make(chan error, 1)
	go func() { ended <- hub.Watch(ctx, caller, &eventv1.WatchEventsRequest{}, first) }()
	receive(t, first.ready)
	_, err = js.Publish(ctx, bus.EventSubject("project", "task"), message)
	require.NoError(t, err)
	seen := receive(t, first.events)

	server.Stop()
	startServer(t, address)
	require.True(t, errs.IsKind(receive(t, ended), errs.Unavailable), "a watcher is told to resume")

	next, ended := newSink(), make(chan error, 1)
	go func() {
		ended <- hub.Watch(ctx, caller, &eventv1.WatchEventsRequest{After: seen.GetSequence() + 5}, next)
	}()
	select {
	case <-next.ready:
	case err := <-ended:
		require.NoError(t, err)
	}
	_, err = js.Publish(ctx, bus.EventSubject("project", "task"), message)
	require.NoError(t, err)
	require.Equal(t, uint64(1), receive(t, next.events).GetSequence())
	hub.Close()
	require.Error(t, receive(t, ended))
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(patience):
		require.FailNow(t, "waited in vain")
		panic("unreachable")
	}
}

// startServer starts one that has nothing stored.
func startServer(t *testing.T, address string) *embedded.Server {
	t.Helper()
	server, err := embedded.Start(t.Context(), embedded.Config{Dir: t.TempDir(), Listen: address}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	return server
}
