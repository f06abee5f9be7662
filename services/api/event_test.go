package api_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api"
)

type watch struct {
	t      *testing.T
	stream grpc.ServerStreamingClient[eventv1.WatchEventsResponse]
}

// watch is ready when it returns: what happens from then on is seen.
func (w *world) watch(user string, request *eventv1.WatchEventsRequest) *watch {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.as(user), patience)
	w.t.Cleanup(cancel)
	request.ProjectId = w.project(user)
	stream, err := w.events().WatchEvents(ctx, request)
	require.NoError(w.t, err)
	_, err = stream.Header()
	require.NoError(w.t, err)
	return &watch{t: w.t, stream: stream}
}

// until reads events until one is as wanted.
func (w *watch) until(wanted func(*eventv1.Event) bool) []*eventv1.WatchEventsResponse {
	w.t.Helper()
	var seen []*eventv1.WatchEventsResponse
	for {
		response, err := w.stream.Recv()
		require.NoError(w.t, err, "after %d events", len(seen))
		seen = append(seen, response)
		if wanted(response.GetEvent()) {
			return seen
		}
	}
}

func taskIs(id, state string) func(*eventv1.Event) bool {
	return func(e *eventv1.Event) bool { return e.GetTask().GetId() == id && e.GetTask().GetStatus() == state }
}

func TestAProjectWatchesItsOwnEventsInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	own := w.watch("reader", &eventv1.WatchEventsRequest{})
	foreign := w.create("admin", order("foreign"))
	created := w.create("demo", order("told"))
	id := created.GetTask().GetId()
	w.finish(w.claim(id).GetRun(), &journalv1.FinishTaskRequest{TaskStatus: "NONE", Instance: built()})
	seen := own.until(taskIs(id, "SUCCEEDED"))

	var states []string
	last := uint64(0)
	for _, response := range seen {
		assert.Greater(t, response.GetSequence(), last)
		last = response.GetSequence()
		if task := response.GetEvent().GetTask(); task != nil {
			states = append(states, task.GetStatus())
			assert.NotEqual(t, foreign.GetTask().GetId(), task.GetId(), "nothing of another project")
		} else {
			assert.Equal(t, created.GetInstance().GetId(), response.GetEvent().GetInstance().GetId())
		}
	}
	assert.Equal(t, []string{"QUEUED", "RUNNING", "SUCCEEDED"}, states)

	resumed := w.watch("reader", &eventv1.WatchEventsRequest{After: seen[0].GetSequence()})
	again := resumed.until(taskIs(id, "SUCCEEDED"))
	assert.Len(t, again, len(seen)-1, "all but the one that was seen")
}

func TestAWatchOfOneInstanceTellsNothingOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	one, two := w.create("demo", order("one")), w.create("demo", order("two"))
	watched := w.watch("demo", &eventv1.WatchEventsRequest{InstanceId: two.GetInstance().GetId()})
	for _, created := range []string{one.GetTask().GetId(), two.GetTask().GetId()} {
		require.NoError(t, w.cancel("demo", created))
	}
	for _, response := range watched.until(taskIs(two.GetTask().GetId(), "CANCELLED")) {
		assert.NotEqual(t, one.GetTask().GetId(), response.GetEvent().GetTask().GetId())
		assert.NotEqual(t, one.GetInstance().GetId(), response.GetEvent().GetInstance().GetId())
	}
}

func TestAWatcherOfALostStreamSeesTheNewOneFromItsBeginning(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	id := w.create("demo", order("early")).GetTask().GetId()
	watched := w.watch("demo", &eventv1.WatchEventsRequest{After: 1_000_000})
	watched.until(taskIs(id, "QUEUED"))
}

func TestAProjectHasOnlySoManyWatchers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *api.Config) { c.WatchersPerProject = 1 }).offering()
	ctx, stop := context.WithTimeout(w.as("demo"), patience)
	defer stop()
	request := &eventv1.WatchEventsRequest{ProjectId: w.project("demo")}
	first, err := w.events().WatchEvents(ctx, request)
	require.NoError(t, err)
	_, err = first.Header()
	require.NoError(t, err)
	second, err := w.events().WatchEvents(w.as("demo"), request)
	require.NoError(t, err)
	_, err = second.Recv()
	assert.True(t, errs.IsKind(err, errs.OverQuota), "%v", err)
	w.watch("admin", &eventv1.WatchEventsRequest{})
	stop()
	_, err = first.Recv()
	require.Error(t, err)
	require.Eventually(t, func() bool {
		third, err := w.events().WatchEvents(w.as("demo"), request)
		require.NoError(t, err)
		_, err = third.Header()
		return err == nil
	}, patience, time.Millisecond, "a place is free again")
}

func TestStreamsEndWithTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	watched := w.watch("demo", &eventv1.WatchEventsRequest{})
	guests, err := w.guests().WatchGuests(t.Context(), &journalv1.WatchGuestsRequest{})
	require.NoError(t, err)
	_, err = guests.Header()
	require.NoError(t, err)
	w.api.EndStreams()
	_, err = watched.stream.Recv()
	assert.True(t, errs.IsReason(err, "STOPPING"), "%v", err)
	_, err = guests.Recv()
	require.Error(t, err)
}

func TestAllOfJetStreamCanBeLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *api.Config) { c.SweepInterval = 50 * time.Millisecond }).offering()
	created := w.create("demo", order("kept"))
	id := created.GetTask().GetId()
	js, err := bus.JetStream(w.nats)
	require.NoError(t, err)
	rung := func() bool {
		message, err := js.Consumer(t.Context(), bus.CommandStream, "taskmanager-slow")
		if err != nil {
			return false
		}
		next, err := message.Next()
		return err == nil && next.Ack() == nil
	}
	require.Eventually(t, rung, patience, time.Millisecond, "the command was rung")
	require.NoError(t, js.DeleteStream(t.Context(), bus.CommandStream))
	require.NoError(t, js.DeleteStream(t.Context(), bus.EventStream))
	// Whatever is committed next has the streams made again; the sweep rings for what was lost.
	w.create("demo", order("later"))
	seen := map[bool]bool{}
	require.Eventually(t, func() bool {
		consumer, err := js.Consumer(t.Context(), bus.CommandStream, "taskmanager-slow")
		if err != nil {
			return false
		}
		next, err := consumer.Next()
		if err != nil {
			return false
		}
		seen[next.Headers().Get("Nats-Msg-Id") > id && next.Headers().Get("Nats-Msg-Id") < id+"0"] = true
		return next.Ack() == nil && seen[true]
	}, patience, time.Millisecond, "both were rung again")
}
