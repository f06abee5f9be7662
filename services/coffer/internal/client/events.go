package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

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

// close ends the stream; there is nothing to learn from how that goes.
func (s *eventStream) close() { _ = s.body.Close() }
