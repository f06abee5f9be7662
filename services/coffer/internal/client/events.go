package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/gophercloud/gophercloud/v2"
)

// maxEvent bounds one event.
const maxEvent = 1 << 20

// event is one server-sent event.
type event struct {
	// kind is task or instance.
	kind string
	data []byte
}

// task is what an event tells of a task; empty for one that tells of something else.
func (e event) task() (Task, error) {
	if e.kind != "task" {
		return Task{}, nil
	}
	var told struct {
		Task Task `json:"task"`
	}
	if err := json.Unmarshal(e.data, &told); err != nil {
		return Task{}, fmt.Errorf("read an event: %w", err)
	}
	return told.Task, nil
}

// eventStream is an open stream of the project's events.
type eventStream struct {
	body  io.ReadCloser
	lines *bufio.Scanner
}

func (c *Client) openEvents(ctx context.Context) (*eventStream, error) {
	response, err := c.request(ctx, http.MethodGet, c.database.ServiceURL("events"), &gophercloud.RequestOpts{
		KeepResponseBody: true, OkCodes: []int{http.StatusOK},
		MoreHeaders: map[string]string{"Accept": "text/event-stream"},
	})
	if err != nil {
		return nil, fmt.Errorf("open the stream of events: %w", err)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxEvent)
	return &eventStream{body: response.Body, lines: lines}, nil
}

// next waits for the next event. Comments keep the connection alive and mean nothing.
func (s *eventStream) next() (event, error) {
	var e event
	for s.lines.Scan() {
		line := s.lines.Bytes()
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			e.kind = string(value)
		case "data":
			e.data = append(e.data, value...)
		case "":
			if len(line) == 0 && len(e.data) > 0 {
				return e, nil
			}
		}
	}
	if err := s.lines.Err(); err != nil {
		return event{}, fmt.Errorf("read the stream of events: %w", err)
	}
	return event{}, errors.New("the stream of events ended")
}

// following is a stream that is being read.
type following struct {
	events chan event
	// broken gets why no more events come.
	broken chan error
	stream *eventStream
	stop   context.CancelFunc
	reader sync.WaitGroup
}

// follow reads the stream until it breaks or the caller has had enough, and calls end.
func (s *eventStream) follow(ctx context.Context) *following {
	ctx, stop := context.WithCancel(ctx)
	f := &following{events: make(chan event), broken: make(chan error, 1), stream: s, stop: stop}
	f.reader.Go(func() {
		for {
			e, err := s.next()
			if err != nil {
				f.broken <- err
				return
			}
			select {
			case f.events <- e:
			case <-ctx.Done():
				return
			}
		}
	})
	return f
}

// end closes the stream; there is nothing to learn from how that goes.
func (f *following) end() {
	f.stop()
	_ = f.stream.body.Close()
	f.reader.Wait()
}
