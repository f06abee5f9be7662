package gateway_test

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	"github.com/coffer-dbaas/coffer/services/gateway"
)

type eventStream = grpc.ServerStreamingServer[eventv1.WatchEventsResponse]

// accepted is what the api sends when it has begun to listen.
var accepted = metadata.Pairs("coffer-events", "open")

func taskEvent(sequence uint64) *eventv1.WatchEventsResponse {
	return &eventv1.WatchEventsResponse{Sequence: sequence, Event: &eventv1.Event{
		Time: "2026-08-14T09:00:00", Subject: &eventv1.Event_Task{Task: task("restart_instance", "RUNNING")},
	}}
}

// open asks a listening gateway for events.
func open(t *testing.T, base, path string, header http.Header) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
	require.NoError(t, err)
	r.Header = header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("X-Auth-Token", goodToken)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

func TestEventsArriveOneByOne(t *testing.T) {
	fake, more, gone := cannedAPI(), make(chan uint64), make(chan struct{})
	fake.watch = func(request *eventv1.WatchEventsRequest, stream eventStream) error {
		defer close(gone)
		assert.Equal(t, uint64(7), request.GetAfter())
		assert.Equal(t, instanceID, request.GetInstanceId())
		if err := stream.SendHeader(accepted); err != nil {
			return err
		}
		for sequence := range more {
			if err := stream.Send(taskEvent(sequence)); err != nil {
				return err
			}
		}
		<-stream.Context().Done()
		return stream.Context().Err()
	}
	server := httptest.NewServer(handler(t, fake))
	defer server.Close()
	answer := open(t, server.URL, inProject("/events?instance_id="+instanceID), http.Header{"Last-Event-Id": {"7"}})
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))

	lines := bufio.NewScanner(answer.Body)
	for sequence := range uint64(2) {
		more <- sequence + 8
		var event []string
		for lines.Scan() && lines.Text() != "" {
			event = append(event, lines.Text())
		}
		require.Len(t, event, 3)
		assert.Equal(t, []string{"id: 8", "id: 9"}[sequence], event[0])
		assert.Equal(t, "event: task", event[1])
		assert.True(t, strings.HasPrefix(event[2], `data: {"time":"2026-08-14T09:00:00","task":{"id":"`), event[2])
	}
	close(more)
	require.NoError(t, answer.Body.Close())
	<-gone
}

func TestAnEventStreamThatIsRefusedAnswersWithAFault(t *testing.T) {
	fake := cannedAPI()
	fake.watch = func(*eventv1.WatchEventsRequest, eventStream) error {
		return errs.New(errs.NotFound, "GONE", "These events are no more.")
	}
	server := httptest.NewServer(handler(t, fake))
	defer server.Close()
	for path, code := range map[string]int{
		inProject("/events"):         http.StatusNotFound,
		inProject("/events?after=x"): http.StatusBadRequest,
		"/v1.0/other/events":         http.StatusForbidden,
	} {
		answer := open(t, server.URL, path, nil)
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, code, answer.StatusCode, path)
	}
}

func TestAStoppingServerEndsItsStreamsAndLeavesNothingBehind(t *testing.T) {
	fake, gone := cannedAPI(), make(chan struct{})
	fake.watch = func(_ *eventv1.WatchEventsRequest, stream eventStream) error {
		defer close(gone)
		if err := stream.SendHeader(accepted); err != nil {
			return err
		}
		<-stream.Context().Done()
		return stream.Context().Err()
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	served := make(chan error, 1)
	door := handler(t, fake)
	go func() { served <- gateway.Serve(ctx, listener, door, slog.New(slog.DiscardHandler)) }()

	answer := open(t, "http://"+listener.Addr().String(), inProject("/events"), nil)
	defer answer.Body.Close()
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	stop()
	require.NoError(t, <-served)
	<-gone
	assert.False(t, bufio.NewScanner(answer.Body).Scan())
}
