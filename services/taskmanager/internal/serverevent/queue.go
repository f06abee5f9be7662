package serverevent

import (
	"context"
	"sync"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// Queue hands on the newest status of each server to one receiver.
type Queue struct {
	out  chan step.ServerEvent
	ring chan struct{}

	mu     sync.Mutex
	newest map[string]status.Server
}

// New makes an empty onq.
func New() *Queue {
	return &Queue{
		out: make(chan step.ServerEvent), ring: make(chan struct{}, 1), newest: make(map[string]status.Server),
	}
}

// Tell never waits.
func (q *Queue) Tell(instanceID string, now status.Server) {
	q.mu.Lock()
	q.newest[instanceID] = now
	q.mu.Unlock()
	select {
	case q.ring <- struct{}{}:
	default:
	}
}

// Run hands events over until ctx ends.
func (q *Queue) Run(ctx context.Context) {
	for {
		event, some := q.next()
		if !some {
			select {
			case <-ctx.Done():
				return
			case <-q.ring:
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case q.out <- event:
			q.taken(event)
		case <-q.ring: // there may be a newer one
		}
	}
}

// Out is where the receiver reads.
func (q *Queue) Out() <-chan step.ServerEvent { return q.out }

// Holds says whether something is still to be handed over about an instance's server.
func (q *Queue) Holds(instanceID string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, holds := q.newest[instanceID]
	return holds
}

func (q *Queue) next() (step.ServerEvent, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for id, now := range q.newest {
		return step.ServerEvent{InstanceID: id, Status: string(now)}, true
	}
	return step.ServerEvent{}, false
}

func (q *Queue) taken(event step.ServerEvent) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if string(q.newest[event.InstanceID]) == event.Status {
		delete(q.newest, event.InstanceID)
	}
}
