package dialect

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	"github.com/coffer-dbaas/coffer/services/gateway/internal/server"
)

// eventSink is the client's end of the stream.
type eventSink struct {
	writer     *eventWriter
	w          http.ResponseWriter
	connection *http.ResponseController
	// open says that the headers are out.
	open bool
}

// begin sends the headers, once.
func (s *eventSink) begin() error {
	if s.open {
		return nil
	}
	return s.send(nil)
}

// comment is a sign of life that a client skips.
func (s *eventSink) comment() error { return s.send([]byte(":\n\n")) }

func (s *eventSink) event(event *eventv1.WatchEventsResponse) error {
	return s.send(s.writer.append(nil, event))
}

func (s *eventSink) send(text []byte) error {
	if !s.open {
		s.open = true
		header := s.w.Header()
		header.Set("Content-Type", "text/event-stream")
		header.Set("Cache-Control", "no-cache")
		// Asks a proxy such as nginx not to hold events back.
		header.Set("X-Accel-Buffering", "no")
		s.w.WriteHeader(http.StatusOK)
	}
	deadline := time.Now().Add(server.EventWriteTimeout)
	if err := s.connection.SetWriteDeadline(deadline); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("limit a write: %w", err)
	}
	if _, err := s.w.Write(text); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	if err := s.connection.Flush(); err != nil {
		return fmt.Errorf("flush event: %w", err)
	}
	return nil
}

// eventWriter writes events in the form of the HTML standard's event streams.
type eventWriter struct {
	plan *plan
}

func newEventWriter(plans planner) (*eventWriter, error) {
	made, err := plans.plan((&eventv1.Event{}).ProtoReflect().Descriptor())
	if err != nil {
		return nil, err
	}
	return &eventWriter{plan: made}, nil
}

func (e *eventWriter) append(b []byte, event *eventv1.WatchEventsResponse) []byte {
	b = append(b, "id: "...)
	b = strconv.AppendUint(b, event.GetSequence(), 10)
	message := event.GetEvent().ProtoReflect()
	if subject := message.WhichOneof(message.Descriptor().Oneofs().ByName("subject")); subject != nil {
		b = append(append(b, "\nevent: "...), subject.Name()...)
	}
	b = append(b, "\ndata: {"...)
	return append(e.plan.append(b, message), "}\n\n"...)
}
