package local

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

func TestTellersNeverWaitAndOnlyTheNewestIsHandedOn(t *testing.T) {
	e := newEvents()
	for range 1000 {
		e.tell("a", status.ServerShutdown)
		e.tell("a", status.ServerActive)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() { e.run(ctx) })
	assert.Equal(t, step.ServerEvent{InstanceID: "a", Status: "ACTIVE"}, <-e.out)
	e.tell("b", status.ServerShutdown)
	assert.Equal(t, step.ServerEvent{InstanceID: "b", Status: "SHUTDOWN"}, <-e.out)
	cancel()
	wait.Wait()
	assert.Empty(t, e.newest)
}
