package event

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

var (
	errStopping = errs.New(errs.Unavailable, "STOPPING", "The service is stopping; resume after the last event you saw.")
	errAway     = errs.New(errs.Unavailable, "EVENTS_AWAY", "The stream of events cannot be reached; try again in a moment.")
)

// Hub serves the watchers.
type Hub struct {
	js         jetstream.JetStream
	perProject int
	// replicas of streams that have to be made anew.
	replicas int
	// life ends with the hub, and with it every watch.
	life context.Context //nolint:containedctx // the hub's own life, ended by Close
	end  context.CancelCauseFunc

	mu   sync.Mutex
	open map[string]int
}

// NewHub makes a hub. It serves at most the given number of watchers of one project at a time. replicas is how many
// servers hold streams that it has to make anew.
func NewHub(js jetstream.JetStream, perProject, replicas int) *Hub {
	life, end := context.WithCancelCause(context.Background())
	return &Hub{js: js, perProject: perProject, replicas: replicas, life: life, end: end, open: map[string]int{}}
}

// Close ends all watches; later ones end at once.
func (h *Hub) Close() { h.end(errStopping) }

// Sink is where a watch's events go.
type Sink interface {
	// Ready is called once no event will be missed any more.
	Ready() error
	Send(*eventv1.WatchEventsResponse) error
}

// Watch hands out the events of the caller's project until the context, the hub or the caller's token ends.
func (h *Hub) Watch(
	ctx context.Context, caller identity.Caller, request *eventv1.WatchEventsRequest, sink Sink,
) error {
	if err := h.enter(caller.ProjectID); err != nil {
		return err
	}
	defer h.leave(caller.ProjectID)
	if !caller.Expires.IsZero() {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, caller.Expires, identity.ErrUnauthenticated)
		defer stop()
	}
	return h.watch(ctx, caller.ProjectID, request, sink)
}

// watch is Watch without the questions of who watches.
func (h *Hub) watch(ctx context.Context, projectID string, request *eventv1.WatchEventsRequest, sink Sink) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopped := context.AfterFunc(h.life, func() { //nolint:contextcheck // the hub's end is the other end of a watch
		cancel(context.Cause(h.life))
	})
	defer stopped()
	stream, err := h.stream(ctx)
	if err != nil {
		return because(ctx, err)
	}
	guarded := h.endWhenLost(ctx, stream, func() { cancel(errAway) })
	defer func() {
		cancel(nil)
		<-guarded
	}()
	messages, err := h.subscribe(ctx, stream, projectID, request.GetAfter())
	if err != nil {
		return because(ctx, err)
	}
	defer messages.Stop()
	if err := sink.Ready(); err != nil {
		return err
	}
	for {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return because(ctx, err)
		}
		if err := pass(message, request.GetInstanceId(), sink); err != nil {
			return err
		}
	}
}

func (h *Hub) enter(projectID string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open[projectID] >= h.perProject {
		return errs.New(errs.OverQuota, "TOO_MANY_WATCHERS",
			"This project watches its events %d times already; close one first.", h.perProject)
	}
	h.open[projectID]++
	return nil
}

func (h *Hub) leave(projectID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open[projectID]--; h.open[projectID] == 0 {
		delete(h.open, projectID)
	}
}

// subscribe reads from an exact position, so that a consumer that the library makes anew skips nothing.
func (h *Hub) subscribe(
	ctx context.Context, stream jetstream.Stream, projectID string, after uint64,
) (jetstream.MessagesContext, error) {
	consumer, err := h.js.OrderedConsumer(ctx, bus.EventStream, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{bus.ProjectEvents(projectID)},
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:    position(after, stream.CachedInfo().State.LastSeq),
		// A watch that cannot go on at once ends, and its watcher resumes: the library's attempts know no context.
		MaxResetAttempts: 1,
	})
	if err != nil {
		return nil, fmt.Errorf("make a consumer of events: %w", err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return messages, nil
}

// stream finds the stream of events, and makes it anew when JetStream has lost it.
func (h *Hub) stream(ctx context.Context) (jetstream.Stream, error) {
	stream, err := h.js.Stream(ctx, bus.EventStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if err := bus.Setup(ctx, h.js, bus.WithReplicas(h.replicas)); err != nil {
			return nil, err
		}
		stream, err = h.js.Stream(ctx, bus.EventStream)
	}
	if err != nil {
		return nil, fmt.Errorf("find the stream of events: %w", err)
	}
	return stream, nil
}

// endWhenLost looks, whenever NATS is back, whether the stream is the one that is watched. In one that was made anew
// positions begin anew, and the watch would wait for its own in vain: its watcher has to resume. The channel is closed
// when nobody looks any more, after ctx has ended.
func (h *Hub) endWhenLost(ctx context.Context, watched jetstream.Stream, end func()) <-chan struct{} {
	back := h.js.Conn().StatusChanged(nats.CONNECTED)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer h.js.Conn().RemoveStatusListener(back)
		for {
			select {
			case <-ctx.Done():
				return
			case <-back:
			}
			present, err := h.js.Stream(ctx, bus.EventStream)
			if err != nil || !present.CachedInfo().Created.Equal(watched.CachedInfo().Created) {
				end()
				return
			}
		}
	}()
	return done
}

// position is where to begin. A watcher that has seen more than there is has seen a stream that was lost since: all of
// the present one is new to it.
func position(after, last uint64) uint64 {
	switch {
	case after == 0:
		return last + 1
	case after > last:
		return 1
	}
	return after + 1
}

func pass(message jetstream.Msg, instanceID string, sink Sink) error {
	metadata, err := message.Metadata()
	if err != nil {
		return fmt.Errorf("read an event's position: %w", err)
	}
	event := &eventv1.Event{}
	if err := proto.Unmarshal(message.Data(), event); err != nil {
		return fmt.Errorf("read event %d: %w", metadata.Sequence.Stream, err)
	}
	if instanceID != "" && instanceID != subject(event) {
		return nil
	}
	return sink.Send(&eventv1.WatchEventsResponse{Sequence: metadata.Sequence.Stream, Event: event})
}

// subject is the id of the instance that an event is about.
func subject(event *eventv1.Event) string {
	if task := event.GetTask(); task != nil {
		return task.GetInstanceId()
	}
	return event.GetInstance().GetId()
}

// because says why a watch ended: the reason of its context, else that JetStream is away.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errAway.Because(err)
}
