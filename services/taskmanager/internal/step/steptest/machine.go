package steptest

import (
	"context"
	"errors"
	"fmt"
	"net"

	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest/fake"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

var (
	errNoServer = errs.New(errs.NotFound, "NO_SERVER", "There is no such server.")
	errOff      = errs.New(errs.WrongState, "SERVER_OFF", "The server is switched off.")
)

// machine is a server's hardware.
type machine struct {
	spec step.ServerSpec
	// former is the flavor before an unconfirmed resize.
	former *step.Flavor
	off    bool
	// port is where the agent listens while the machine runs.
	port net.Listener
}

// CreateServer starts a fake agent.
func (c *Cloud) CreateServer(ctx context.Context, spec step.ServerSpec) (step.Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("CreateServer"); err != nil {
		return step.Server{}, err
	}
	if _, there := c.servers[spec.InstanceID]; there {
		return c.start(ctx, spec.InstanceID)
	}
	agent, err := fake.New(spec.InstanceID, spec.Bootstrap.CertificatePEM, spec.Bootstrap.KeyPEM, spec.Bootstrap.CAPEM)
	if err != nil {
		return step.Server{}, fmt.Errorf("create server: %w", err)
	}
	agent.Join(c.databases)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", spec.Address.IP+":0")
	if err != nil {
		return step.Server{}, fmt.Errorf("create server: %w", err)
	}
	c.made["CreateServer"]++
	c.agents[spec.InstanceID] = agent
	c.machines[spec.InstanceID] = &machine{spec: spec}
	c.serve(spec.InstanceID, listener)
	c.servers[spec.InstanceID] = step.Server{
		ID: "server-" + spec.InstanceID, InstanceID: spec.InstanceID, Status: "ACTIVE", GuestAddress: listener.Addr().String(),
	}
	return c.servers[spec.InstanceID], nil
}

func (c *Cloud) serve(instanceID string, listener net.Listener) {
	c.machines[instanceID].port = listener
	serve := c.agents[instanceID].Life()
	c.serving.Go(func() {
		// It may be taken down before it has begun.
		if err := serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			c.t.Errorf("fake agent: %v", err)
		}
	})
}

// start gives the agent another life at its address, if it is down.
func (c *Cloud) start(ctx context.Context, instanceID string) (step.Server, error) {
	server, there := c.servers[instanceID]
	switch {
	case !there:
		return step.Server{}, errNoServer
	case c.machines[instanceID].off:
		return step.Server{}, errOff
	case server.Status == "ACTIVE":
		return server, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", server.GuestAddress)
	if err != nil {
		return step.Server{}, fmt.Errorf("start server: %w", err)
	}
	c.agents[instanceID].Revive()
	c.serve(instanceID, listener)
	server.Status, server.Fault = "ACTIVE", ""
	c.servers[instanceID] = server
	return server, nil
}

func (c *Cloud) takeDown(instanceID, fault string) {
	c.agents[instanceID].Stop()
	_ = c.machines[instanceID].port.Close() // it is closed already, unless it was taken down before it had begun
	down := c.servers[instanceID]
	down.Status, down.Fault = "SHUTDOWN", fault
	c.servers[instanceID] = down
}

// restart is refused for a server that is switched off.
func (c *Cloud) restart(ctx context.Context, instanceID string) (step.Server, error) {
	if m, there := c.machines[instanceID]; !there {
		return step.Server{}, errNoServer
	} else if m.off {
		return step.Server{}, errOff
	}
	c.takeDown(instanceID, "")
	return c.start(ctx, instanceID)
}

// TakeDown ends a server by itself, with what the provider knows of the reason.
func (c *Cloud) TakeDown(instanceID, fault string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takeDown(instanceID, fault)
}

// Machine is what a server was last built of, and whether it is switched off.
func (c *Cloud) Machine(instanceID string) (spec step.ServerSpec, off bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, there := c.machines[instanceID]
	if !there {
		return step.ServerSpec{}, false
	}
	return m.spec, m.off
}

// Unconfirmed says whether a resize waits to be confirmed.
func (c *Cloud) Unconfirmed(instanceID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, there := c.machines[instanceID]
	return there && m.former != nil
}

// Server finds a server.
func (c *Cloud) Server(_ context.Context, instanceID string) (step.Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	server, there := c.servers[instanceID]
	if !there {
		return step.Server{}, errNoServer
	}
	return server, nil
}

// StopServer switches it off.
func (c *Cloud) StopServer(_ context.Context, instanceID string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("StopServer"); err != nil {
		return err
	}
	m, there := c.machines[instanceID]
	if !there {
		return nil
	}
	if !m.off {
		c.made["StopServer"]++
	}
	m.off = true
	c.takeDown(instanceID, "it was switched off")
	return nil
}

// StartServer switches it on.
func (c *Cloud) StartServer(ctx context.Context, instanceID string) (step.Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("StartServer"); err != nil {
		return step.Server{}, err
	}
	if m, there := c.machines[instanceID]; there {
		m.off = false
	}
	return c.start(ctx, instanceID)
}

// RebootServer gives the agent another life.
func (c *Cloud) RebootServer(ctx context.Context, instanceID string, hard bool) (step.Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("RebootServer"); err != nil {
		return step.Server{}, err
	}
	c.made[fmt.Sprintf("RebootServer hard=%t", hard)]++
	return c.restart(ctx, instanceID)
}

// ResizeServer restarts it with another flavor.
func (c *Cloud) ResizeServer(ctx context.Context, instanceID string, flavor step.Flavor) (step.Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("ResizeServer"); err != nil {
		return step.Server{}, err
	}
	m, there := c.machines[instanceID]
	if !there {
		return step.Server{}, errNoServer
	}
	if m.former == nil {
		former := m.spec.Flavor
		m.former = &former
	}
	m.spec.Flavor = flavor
	c.made["ResizeServer"]++
	return c.restart(ctx, instanceID)
}

// ConfirmResize forgets the former flavor.
func (c *Cloud) ConfirmResize(_ context.Context, instanceID string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("ConfirmResize"); err != nil {
		return err
	}
	if m, there := c.machines[instanceID]; there {
		m.former = nil
	}
	return nil
}

// RevertResize restarts it with the former flavor.
func (c *Cloud) RevertResize(ctx context.Context, instanceID string) (step.Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("RevertResize"); err != nil {
		return step.Server{}, err
	}
	m, there := c.machines[instanceID]
	if !there {
		return step.Server{}, errNoServer
	}
	if m.former == nil {
		return c.start(ctx, instanceID)
	}
	m.spec.Flavor, m.former = *m.former, nil
	c.made["RevertResize"]++
	return c.restart(ctx, instanceID)
}

// MigrateServer gives the agent another life, as on another host.
func (c *Cloud) MigrateServer(ctx context.Context, instanceID, host string) (step.Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("MigrateServer"); err != nil {
		return step.Server{}, err
	}
	c.made["MigrateServer "+host]++
	return c.restart(ctx, instanceID)
}

// RebuildServer builds it of something else. The agent keeps its identity, as the local provider's does.
func (c *Cloud) RebuildServer(ctx context.Context, spec step.ServerSpec) (step.Server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("RebuildServer"); err != nil {
		return step.Server{}, err
	}
	m, there := c.machines[spec.InstanceID]
	if !there {
		return step.Server{}, errNoServer
	}
	m.spec = spec
	c.made["RebuildServer "+spec.Version]++
	return c.restart(ctx, spec.InstanceID)
}

// DeleteServer stops the agent.
func (c *Cloud) DeleteServer(_ context.Context, instanceID string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("DeleteServer"); err != nil {
		return err
	}
	if agent, there := c.agents[instanceID]; there {
		agent.Stop()
	}
	delete(c.agents, instanceID)
	delete(c.machines, instanceID)
	delete(c.servers, instanceID)
	return nil
}
