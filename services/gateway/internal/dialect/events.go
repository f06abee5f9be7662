package dialect

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	"github.com/coffer-dbaas/coffer/services/gateway/internal/server"
)

// headerLastEventID is what a browser sends when it connects again.
const headerLastEventID = "Last-Event-Id"

// wantsEvents says whether a request is for the stream of events, which has no end of its own.
func wantsEvents(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(strings.TrimSuffix(r.URL.Path, suffix), "/events")
}

// watchEvents serves a project's events as server-sent events. The id of each is its place in the stream, after
// which a client goes on with Last-Event-ID, or with ?after=. The headers go out once the service is listening, so a
// client that has them misses nothing of what it does next.
func (d *Dialect) watchEvents(w http.ResponseWriter, r *http.Request, parameters map[string]string) {
	after, refused := resumeAfter(r)
	if refused != nil {
		d.refuse(w, r, refused)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	ctx, err := runtime.AnnotateContext(ctx, d.mux, r, eventv1.EventService_WatchEvents_FullMethodName)
	if err != nil {
		d.answer(w, r, faultOf(err))
		return
	}
	stream, err := d.watcher.WatchEvents(ctx, &eventv1.WatchEventsRequest{
		ProjectId: parameters["project_id"], After: after, InstanceId: r.URL.Query().Get("instance_id"),
	})
	if err != nil {
		d.answer(w, r, faultOf(err))
		return
	}
	steps := receive(ctx, stream)
	defer func() {
		cancel()
		for range steps {
			// Waits for the reader, which the cancelled context ends.
		}
	}()
	sink := &eventSink{writer: d.events, w: w, connection: http.NewResponseController(w)}
	if err := forward(ctx, steps, sink, server.HeartbeatInterval); err != nil {
		if !sink.open {
			d.answer(w, r, faultOf(err))
			return
		}
		d.logger.DebugContext(ctx, "a stream of events ended", "request_id", exchangeOf(ctx).requestID, "error", err)
	}
}

func resumeAfter(r *http.Request) (uint64, *fault) {
	given := r.Header.Get(headerLastEventID)
	if after := r.URL.Query().Get("after"); after != "" {
		given = after
	}
	if given == "" {
		return 0, nil
	}
	after, err := strconv.ParseUint(given, 10, 64)
	if err != nil {
		return 0, badRequest("The position to resume after must be the id of an event, a whole number.")
	}
	return after, nil
}

// received is a step of the stream: it was accepted (neither field), an event, or its end.
type received struct {
	event *eventv1.WatchEventsResponse
	err   error
}

// receive reads the stream until its end, which it reports last, or until the context ends; then it closes its steps.
func receive(ctx context.Context, stream eventv1.EventService_WatchEventsClient) <-chan received {
	steps := make(chan received)
	tell := func(step received) bool {
		select {
		case steps <- step:
			return step.err == nil
		case <-ctx.Done():
			return false
		}
	}
	go func() {
		defer close(steps)
		// Without a header the stream ended before it began, and Recv says why.
		if header, err := stream.Header(); err == nil && header != nil && !tell(received{}) {
			return
		}
		for {
			event, err := stream.Recv()
			if !tell(received{event: event, err: err}) {
				return
			}
		}
	}()
	return steps
}

// forward writes events and signs of life until the stream, the client or the server ends.
func forward(ctx context.Context, steps <-chan received, sink *eventSink, silence time.Duration) error {
	heartbeat := time.NewTimer(silence)
	defer heartbeat.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-server.Stopping(ctx):
			return sink.begin()
		case <-heartbeat.C:
			err = sink.comment()
		case step, more := <-steps:
			switch {
			case !more:
				return context.Cause(ctx)
			case errors.Is(step.err, io.EOF):
				return sink.begin()
			case step.err != nil:
				return step.err
			case step.event == nil:
				err = sink.begin()
			default:
				err = sink.event(step.event)
			}
		}
		if err != nil {
			return err
		}
		heartbeat.Reset(silence)
	}
}
