package local

import (
	"context"
	"sync"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// events hands on the newest status of each server. Nobody who tells one waits for the receiver: what is overtaken
// before it is taken is dropped.
type events struct {
	out  chan step.ServerEvent
	ring chan struct{}

	mu     sync.Mutex
	newest map[string]status.Server
}

func newEvents() *events {
	return &events{
		out: make(chan step.ServerEvent), ring: make(chan struct{}, 1), newest: make(map[string]status.Server),
	}
}

func (e *events) tell(instanceID string, now status.Server) {
	e.mu.Lock()
	e.newest[instanceID] = now
	e.mu.Unlock()
	select {
	case e.ring <- struct{}{}:
	default:
	}
}

// run hands events over until ctx ends.
func (e *events) run(ctx context.Context) {
	for {
		event, some := e.next()
		if !some {
			select {
			case <-ctx.Done():
				return
			case <-e.ring:
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case e.out <- event:
			e.taken(event)
		case <-e.ring: // there may be a newer one
		}
	}
}

func (e *events) next() (step.ServerEvent, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, now := range e.newest {
		return step.ServerEvent{InstanceID: id, Status: string(now)}, true
	}
	return step.ServerEvent{}, false
}

func (e *events) taken(event step.ServerEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if string(e.newest[event.InstanceID]) == event.Status {
		delete(e.newest, event.InstanceID)
	}
}
