package openstack

import (
	"context"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// overlap is how much further back than the last look a look reaches: clocks differ, and Nova counts whole seconds.
const overlap = time.Minute

// Events tells what becomes of servers by themselves.
func (p *Provider) Events() <-chan step.ServerEvent { return p.events.Out() }

// Run watches servers until ctx ends.
func (p *Provider) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	parts.Go(func() { p.events.Run(ctx) })
	p.watch(ctx)
	parts.Wait()
	return nil
}

// watch lists all servers once, and from then on those that have changed.
func (p *Provider) watch(ctx context.Context) {
	known := map[string]status.Server{}
	var since time.Time
	for {
		began := time.Now()
		changed, err := p.changedServers(ctx, since)
		switch {
		case err == nil:
			since = began.Add(-overlap)
			for n := range changed {
				p.tellChange(known, &changed[n])
			}
		case ctx.Err() == nil:
			p.log.Warn("servers could not be looked at", "error", err)
		}
		if !pause.For(ctx, p.cfg.WatchInterval) {
			return
		}
	}
}

// tellChange tells of a server that is up or down, if it was not so at the last look. What is on its way is told when it
// has arrived.
func (p *Provider) tellChange(known map[string]status.Server, server *servers.Server) {
	instanceID := server.Metadata[keyInstance]
	if instanceID == "" {
		return
	}
	if server.Status == novaDeleted {
		delete(known, instanceID)
		return
	}
	now := status.Server(statusOf(server))
	if server.TaskState != "" || now == status.ServerBuild || known[instanceID] == now {
		return
	}
	known[instanceID] = now
	p.events.Tell(instanceID, now)
}
