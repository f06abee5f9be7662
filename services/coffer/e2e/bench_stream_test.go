package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stream is an event stream that stays open over a whole benchmark, so that no measured span holds its opening.
type stream struct {
	b      *testing.B
	events <-chan event
}

// event is one event of a task.
type event struct {
	task  task
	heard time.Time
}

// follow opens the event stream; it is closed with the benchmark.
func (c *client) follow(b *testing.B) *stream {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := c.request(ctx, http.MethodGet, "/events", nil)
	require.NoError(b, err)
	response, err := c.http.Do(request) //nolint:bodyclose // closed by the reader
	require.NoError(b, err)
	require.Equal(b, http.StatusOK, response.StatusCode)
	// Far more than any benchmark leaves unread.
	events := make(chan event, 1<<16)
	go func() {
		defer close(events)
		defer func() { _ = response.Body.Close() }()
		readEvents(response, func(e event) { events <- e })
	}()
	b.Cleanup(func() {
		cancel()
		for range events { // until the reader has ended
		}
	})
	return &stream{b: b, events: events}
}

func readEvents(response *http.Response, tell func(event)) {
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		text, isData := strings.CutPrefix(lines.Text(), "data: ")
		if !isData {
			continue
		}
		heard := event{heard: time.Now()}
		var told struct{ Task task }
		if json.Unmarshal([]byte(text), &told) == nil && told.Task.ID != "" {
			heard.task = told.Task
			tell(heard)
		}
	}
}

// next is the first event that is wanted.
func (s *stream) next(wanted func(event) bool) event {
	s.b.Helper()
	limit := time.After(patience)
	for {
		select {
		case e, open := <-s.events:
			require.True(s.b, open, "the event stream ended")
			if wanted(e) {
				return e
			}
		case <-limit:
			require.FailNow(s.b, "waited in vain for an event")
		}
	}
}

// success waits for the end of a task, which must be a good one, and says when it was told.
func (s *stream) success(taskID string) time.Time {
	s.b.Helper()
	ended := s.next(func(e event) bool { return e.task.ID == taskID && e.task.ended() })
	require.Equal(s.b, "SUCCEEDED", ended.task.Status, "%+v", ended.task)
	return ended.heard
}

// address waits until an instance shows where its database will be: it is looked at whenever its task tells something.
func (s *stream) address(user *client, instanceID string) string {
	s.b.Helper()
	for {
		s.next(func(e event) bool { return e.task.InstanceID == instanceID })
		if seen := user.show(instanceID); len(seen.IP) > 0 {
			return seen.IP[0]
		}
	}
}
