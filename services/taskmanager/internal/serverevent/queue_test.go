package serverevent_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/serverevent"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

func TestTellersNeverWaitAndOnlyTheNewestIsHandedOn(t *testing.T) {
	e := serverevent.New()
	for range 1000 {
		e.Tell("a", status.ServerShutdown)
		e.Tell("a", status.ServerActive)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() { e.Run(ctx) })
	assert.Equal(t, step.ServerEvent{InstanceID: "a", Status: "ACTIVE"}, <-e.Out())
	e.Tell("b", status.ServerShutdown)
	assert.Equal(t, step.ServerEvent{InstanceID: "b", Status: "SHUTDOWN"}, <-e.Out())
	cancel()
	wait.Wait()
	assert.False(t, e.Holds("a"))
	assert.False(t, e.Holds("b"))
}
