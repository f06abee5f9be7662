package openstack

import (
	"context"
	"errors"

	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// StopServer fences the instance: first its port on the tenant's network is cut, which is also what keeps the server from
// ever being started again, then the server is stopped. A server whose host is dead cannot be seen to stop; its port stays
// cut, and Nova stops it when the host is back.
func (p *Provider) StopServer(ctx context.Context, instanceID string) error {
	server, err := p.server(ctx, instanceID)
	if errs.IsKind(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := p.cut(ctx, instanceID, true); err != nil {
		return err
	}
	return p.stop(ctx, server)
}

// stop stops a server, and no longer waits for it than StopLimit.
func (p *Provider) stop(ctx context.Context, server *servers.Server) error {
	if statusOf(server) == "SHUTDOWN" && server.TaskState == "" || server.Status == novaError {
		return nil
	}
	if server.TaskState != "powering-off" {
		if err := fault(nova, "stop server "+server.ID, servers.Stop(ctx, p.compute, server.ID).ExtractErr()); err != nil {
			return err
		}
	}
	waiting, cancel := context.WithTimeout(ctx, p.cfg.StopLimit)
	defer cancel()
	_, err := p.awaitServer(waiting, server.ID, "stop server "+server.ID, novaShutoff)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		p.log.Warn("a server was not seen to stop in time; it is cut from its network", "server_id", server.ID, "limit", p.cfg.StopLimit)
		return nil
	}
	return err
}

// StartServer starts the server, and gives a fenced one its network again.
func (p *Provider) StartServer(ctx context.Context, instanceID string) (step.Server, error) {
	server, err := p.server(ctx, instanceID)
	if err != nil {
		return step.Server{}, err
	}
	if err := p.cut(ctx, instanceID, false); err != nil {
		return step.Server{}, err
	}
	server, err = p.start(ctx, server)
	if err != nil {
		return step.Server{}, err
	}
	return told(instanceID, server), nil
}

// bringUp waits for a server that is being built and starts one that is down, unless it is fenced.
func (p *Provider) bringUp(ctx context.Context, instanceID string, server *servers.Server) (*servers.Server, error) {
	if err := p.notFenced(ctx, instanceID); err != nil {
		return nil, err
	}
	return p.start(ctx, server)
}

// start brings a server up from whatever state it can be brought up from.
func (p *Provider) start(ctx context.Context, server *servers.Server) (*servers.Server, error) {
	doing := "start server " + server.ID
	switch server.Status {
	case novaActive, novaVerifyResize:
		if server.TaskState == "" {
			return server, nil
		}
	case novaError:
		return nil, p.brokenServer(ctx, server, "build or run server "+server.ID)
	case novaShutoff:
		if server.TaskState == "" {
			if err := fault(nova, doing, servers.Start(ctx, p.compute, server.ID).ExtractErr()); err != nil {
				return nil, err
			}
		}
	case novaPaused:
		if err := fault(nova, doing, servers.Unpause(ctx, p.compute, server.ID).ExtractErr()); err != nil {
			return nil, err
		}
	case novaSuspended:
		if err := fault(nova, doing, servers.Resume(ctx, p.compute, server.ID).ExtractErr()); err != nil {
			return nil, err
		}
	}
	return p.awaitServer(ctx, server.ID, doing, novaActive, novaVerifyResize)
}

// RebootServer reboots the server, softly or hard, or starts it.
func (p *Provider) RebootServer(ctx context.Context, instanceID string, hard bool) (step.Server, error) {
	server, err := p.server(ctx, instanceID)
	if err != nil {
		return step.Server{}, err
	}
	if err := p.notFenced(ctx, instanceID); err != nil {
		return step.Server{}, err
	}
	if server.Status == novaActive || hard && server.Status != novaBuild {
		server, err = p.reboot(ctx, instanceID, server, hard)
	} else {
		server, err = p.start(ctx, server)
	}
	if err != nil {
		return step.Server{}, err
	}
	return told(instanceID, server), nil
}

func (p *Provider) reboot(ctx context.Context, instanceID string, server *servers.Server, hard bool) (*servers.Server, error) {
	how := servers.SoftReboot
	if hard {
		how = servers.HardReboot
	}
	doing := "reboot server " + server.ID
	if err := servers.Reboot(ctx, p.compute, server.ID, servers.RebootOpts{Type: how}).ExtractErr(); err != nil {
		return nil, fault(nova, doing, err)
	}
	server, err := p.awaitServer(ctx, server.ID, doing, novaActive)
	if err != nil || !hard {
		return server, err
	}
	return server, p.completeAttachment(ctx, instanceID, server)
}

// cut takes the instance's port on the tenant's network down, or up again. Its state is the mark of a fence: it outlives
// every restart of the provider and of the host, and can be set whatever state the server is in.
func (p *Provider) cut(ctx context.Context, instanceID string, down bool) error {
	port, err := p.portOf(ctx, p.databaseMark(instanceID))
	if errs.IsKind(err, errs.NotFound) {
		return nil
	}
	if err != nil || port.AdminStateUp == !down {
		return err
	}
	up := !down
	_, err = ports.Update(ctx, p.network, port.ID, ports.UpdateOpts{AdminStateUp: &up}).Extract()
	return fault(neutron, "switch port "+port.ID, err)
}

// notFenced refuses to touch a server that StopServer has stopped.
func (p *Provider) notFenced(ctx context.Context, instanceID string) error {
	port, err := p.portOf(ctx, p.databaseMark(instanceID))
	if err != nil {
		return err
	}
	if port.AdminStateUp {
		return nil
	}
	return errs.New(errs.WrongState, "SERVER_FENCED", "The server of instance %s was stopped for good.", instanceID)
}

// changeable is the instance's server once nothing is being done to it; WrongState when it is fenced.
func (p *Provider) changeable(ctx context.Context, instanceID string) (*servers.Server, error) {
	server, err := p.server(ctx, instanceID)
	if err != nil {
		return nil, err
	}
	if err := p.notFenced(ctx, instanceID); err != nil {
		return nil, err
	}
	return p.settled(ctx, server)
}

// settled waits until nothing is being done to a server, before it is asked for something else.
func (p *Provider) settled(ctx context.Context, server *servers.Server) (*servers.Server, error) {
	if server.TaskState == "" && server.Status != novaBuild {
		return server, nil
	}
	return p.servers.until(ctx, server.ID, func(seen *servers.Server, err error) (bool, error) {
		return err == nil && seen.TaskState == "" && seen.Status != novaBuild, err
	})
}
