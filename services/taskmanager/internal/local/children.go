package local

import (
	"slices"
	"sync"

	"github.com/coffer-dbaas/coffer/pkg/proc"
)

// children are the agents that this process started. They are watched, so that they are reaped when they end,
// until the provider itself ends; then they become another's.
type children struct {
	mu      sync.Mutex
	started []*proc.Process
}

func (c *children) add(child *proc.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = append(slices.DeleteFunc(c.started, hasEnded), child)
}

func hasEnded(child *proc.Process) bool {
	select {
	case <-child.Done():
		return true
	default:
		return false
	}
}

func (c *children) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	release(c.started)
	c.started = nil
}
