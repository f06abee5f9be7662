package openstack

import (
	"context"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// MigrateServer moves the server to another host while it is down, and confirms that at once: a server that does not come
// up there comes up nowhere else.
func (p *Provider) MigrateServer(ctx context.Context, instanceID, host string) (step.Server, error) {
	server, err := p.changeable(ctx, instanceID)
	if err != nil {
		return step.Server{}, err
	}
	// One that waits to be confirmed was moved by an attempt that was interrupted.
	if server.Status != novaVerifyResize {
		if server, err = p.move(ctx, server, host); err != nil {
			return step.Server{}, err
		}
	}
	if err := p.confirm(ctx, server); err != nil {
		return step.Server{}, err
	}
	if server, err = p.server(ctx, instanceID); err != nil {
		return step.Server{}, err
	}
	if server, err = p.start(ctx, server); err != nil {
		return step.Server{}, err
	}
	return told(instanceID, server), nil
}

func (p *Provider) move(ctx context.Context, server *servers.Server, host string) (*servers.Server, error) {
	doing := "migrate server " + server.ID
	if err := p.migrate(ctx, server.ID, host); err != nil {
		return nil, fault(nova, doing, err)
	}
	moved, err := p.awaitServer(ctx, server.ID, doing, novaVerifyResize, novaActive, novaShutoff)
	if err != nil || moved.Status == novaVerifyResize {
		return moved, err
	}
	return nil, p.whyNot(ctx, server.ID, "migrate", doing)
}

// migrate is servers.Migrate with the host, which gophercloud leaves out (Nova API 2.56).
func (p *Provider) migrate(ctx context.Context, id, host string) error {
	if host == "" {
		return servers.Migrate(ctx, p.compute, id).ExtractErr()
	}
	body := map[string]any{"migrate": map[string]any{"host": host}}
	response, err := p.compute.Post(ctx, p.compute.ServiceURL("servers", id, "action"), body, nil, //nolint:bodyclose // closed by gophercloud
		&gophercloud.RequestOpts{OkCodes: []int{202}})
	_, _, err = gophercloud.ParseResponse(response, err)
	return err
}
