package openstack

import (
	"context"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// ResizeServer resizes the server and leaves it to be confirmed or reverted.
func (p *Provider) ResizeServer(ctx context.Context, instanceID string, flavor step.Flavor) (step.Server, error) {
	server, err := p.changeable(ctx, instanceID)
	if err != nil {
		return step.Server{}, err
	}
	has, err := p.hasFlavor(ctx, server, flavor.ID)
	if err != nil {
		return step.Server{}, err
	}
	if !has {
		doing := "resize server " + server.ID
		if err := servers.Resize(ctx, p.compute, server.ID, servers.ResizeOpts{FlavorRef: flavor.ID}).ExtractErr(); err != nil {
			return step.Server{}, fault(nova, doing, err)
		}
		if server, err = p.awaitResize(ctx, server.ID, doing, flavor.ID); err != nil {
			return step.Server{}, err
		}
	}
	if server, err = p.start(ctx, server); err != nil {
		return step.Server{}, err
	}
	return told(instanceID, server), nil
}

// awaitResize waits until the server is to be confirmed. One that goes back to what it was has found no host that takes
// it, which Nova tells in the record of what was done to the server, and there alone.
func (p *Provider) awaitResize(ctx context.Context, id, doing, flavor string) (*servers.Server, error) {
	resized, err := p.awaitServer(ctx, id, doing, novaVerifyResize, novaActive, novaShutoff)
	if err != nil || resized.Status == novaVerifyResize {
		return resized, err
	}
	if has, err := p.hasFlavor(ctx, resized, flavor); err != nil || has {
		// A cloud may confirm by itself.
		return resized, err
	}
	return nil, p.whyNot(ctx, id, "resize", doing)
}

// hasFlavor goes by the flavor's name: a server does not tell the id.
func (p *Provider) hasFlavor(ctx context.Context, server *servers.Server, id string) (bool, error) {
	wanted, err := flavors.Get(ctx, p.compute, id).Extract()
	if err != nil {
		err = fault(nova, "find flavor "+id, err)
		if errs.IsKind(err, errs.NotFound) {
			return false, errs.New(errs.Invalid, "FLAVOR_NOT_FOUND", "There is no flavor %s.", id)
		}
		return false, err
	}
	return server.Flavor["original_name"] == wanted.Name, nil
}

// ConfirmResize gives the former size up.
func (p *Provider) ConfirmResize(ctx context.Context, instanceID string) error {
	server, err := p.server(ctx, instanceID)
	if errs.IsKind(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return p.confirm(ctx, server)
}

// confirm ends a resize or a migration where the server is now.
func (p *Provider) confirm(ctx context.Context, server *servers.Server) error {
	server, err := p.settled(ctx, server)
	if err != nil || server.Status != novaVerifyResize {
		return err
	}
	doing := "confirm the new place of server " + server.ID
	if err := servers.ConfirmResize(ctx, p.compute, server.ID).ExtractErr(); err != nil {
		return fault(nova, doing, err)
	}
	_, err = p.awaitServer(ctx, server.ID, doing, novaActive, novaShutoff)
	return err
}

// RevertResize goes back to the former size.
func (p *Provider) RevertResize(ctx context.Context, instanceID string) (step.Server, error) {
	server, err := p.server(ctx, instanceID)
	if err != nil {
		return step.Server{}, err
	}
	if server, err = p.settled(ctx, server); err != nil {
		return step.Server{}, err
	}
	if server.Status == novaVerifyResize {
		doing := "revert the resize of server " + server.ID
		if err := servers.RevertResize(ctx, p.compute, server.ID).ExtractErr(); err != nil {
			return step.Server{}, fault(nova, doing, err)
		}
		if server, err = p.awaitServer(ctx, server.ID, doing, novaActive, novaShutoff); err != nil {
			return step.Server{}, err
		}
	}
	// A server that Nova could not resize is in ERROR with its former flavor, from which a hard reboot brings it back.
	if server.Status == novaError {
		server, err = p.reboot(ctx, instanceID, server, true)
	} else if server.Status != novaActive {
		server, err = p.bringUp(ctx, instanceID, server)
	}
	if err != nil {
		return step.Server{}, err
	}
	return told(instanceID, server), nil
}
