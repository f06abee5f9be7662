// Package steptest is a cloud in memory whose servers are fake guest agents in this process, for tests of workflows and
// of everything above them.
package steptest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest/fake"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

var _ step.Provider = (*Cloud)(nil)

// Cloud is a provider.
type Cloud struct {
	t      testing.TB
	events chan step.ServerEvent
	// databases is where the agents' databases reach each other.
	databases *fake.Network

	mu        sync.Mutex
	addresses map[string]step.Address
	volumes   map[string]step.Volume
	servers   map[string]step.Server
	agents    map[string]*fake.Agent
	machines  map[string]*machine
	access    map[string]step.Access
	orders    map[string][]error
	made      map[string]int
	serving   sync.WaitGroup
}

// New makes an empty cloud; its servers end with the test.
func New(t testing.TB) *Cloud {
	c := &Cloud{
		t: t, events: make(chan step.ServerEvent, 16), databases: fake.NewNetwork(), addresses: map[string]step.Address{},
		volumes: map[string]step.Volume{}, servers: map[string]step.Server{}, agents: map[string]*fake.Agent{},
		machines: map[string]*machine{}, access: map[string]step.Access{}, orders: map[string][]error{}, made: map[string]int{},
	}
	t.Cleanup(func() {
		c.mu.Lock()
		for _, agent := range c.agents {
			agent.Stop()
		}
		c.mu.Unlock()
		c.serving.Wait()
	})
	return c
}

// FailNext makes the next call of a method answer with the error, and do nothing.
func (c *Cloud) FailNext(method string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.orders[method] = append(c.orders[method], err)
}

// Agent is the agent of an instance's server; nil when there is none.
func (c *Cloud) Agent(instanceID string) *fake.Agent {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.agents[instanceID]
}

// Databases is where the agents' databases reach each other.
func (c *Cloud) Databases() *fake.Network { return c.databases }

// Inventory is everything there is, sorted.
func (c *Cloud) Inventory() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []string{}
	for id := range c.addresses {
		list = append(list, "address of "+id)
	}
	for id := range c.volumes {
		list = append(list, "volume of "+id)
	}
	for id := range c.servers {
		list = append(list, "server of "+id)
	}
	slices.Sort(list)
	return list
}

// Made is how often a method really made something.
func (c *Cloud) Made(method string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.made[method]
}

func (c *Cloud) failure(method string) error {
	waiting := c.orders[method]
	if len(waiting) == 0 {
		return nil
	}
	c.orders[method] = waiting[1:]
	return waiting[0]
}

// AllocateAddress gives the loopback address.
func (c *Cloud) AllocateAddress(_ context.Context, spec step.AddressSpec) (step.Address, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("AllocateAddress"); err != nil {
		return step.Address{}, err
	}
	if known, there := c.addresses[spec.InstanceID]; there {
		return known, nil
	}
	c.made["AllocateAddress"]++
	c.addresses[spec.InstanceID] = step.Address{ID: "address", IP: "127.0.0.1", NetworkID: "network"}
	return c.addresses[spec.InstanceID], nil
}

// ReleaseAddress forgets it.
func (c *Cloud) ReleaseAddress(_ context.Context, instanceID string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("ReleaseAddress"); err != nil {
		return err
	}
	delete(c.addresses, instanceID)
	return nil
}

// CreateVolume makes a volume.
func (c *Cloud) CreateVolume(_ context.Context, spec step.VolumeSpec) (step.Volume, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("CreateVolume"); err != nil {
		return step.Volume{}, err
	}
	if known, there := c.volumes[spec.InstanceID]; there {
		return known, nil
	}
	c.made["CreateVolume"]++
	c.volumes[spec.InstanceID] = step.Volume{ID: "volume-" + spec.InstanceID, InstanceID: spec.InstanceID, Size: spec.Size}
	return c.volumes[spec.InstanceID], nil
}

// ExtendVolume makes it larger.
func (c *Cloud) ExtendVolume(_ context.Context, instanceID string, size int) (step.Volume, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("ExtendVolume"); err != nil {
		return step.Volume{}, err
	}
	volume, there := c.volumes[instanceID]
	if !there {
		return step.Volume{}, errs.New(errs.NotFound, "NO_VOLUME", "There is no such volume.")
	}
	if size < volume.Size {
		return step.Volume{}, errs.New(errs.Invalid, "VOLUME_SIZE", "A volume cannot become smaller.")
	}
	if size > volume.Size {
		c.made["ExtendVolume"]++
	}
	volume.Size = size
	c.volumes[instanceID] = volume
	return volume, nil
}

// UpdateAccess remembers it.
func (c *Cloud) UpdateAccess(_ context.Context, instanceID string, access step.Access) ([]step.Address, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("UpdateAccess"); err != nil {
		return nil, err
	}
	c.made["UpdateAccess"]++
	c.access[instanceID] = access
	if !access.Public {
		return nil, nil
	}
	return []step.Address{{ID: "public", IP: "192.0.2.1", NetworkID: "outside"}}, nil
}

// Access is what was last asked for.
func (c *Cloud) Access(instanceID string) step.Access {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.access[instanceID]
}

// DeleteVolume removes it.
func (c *Cloud) DeleteVolume(_ context.Context, instanceID string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.failure("DeleteVolume"); err != nil {
		return err
	}
	if _, inUse := c.servers[instanceID]; inUse {
		return errs.New(errs.Conflict, "VOLUME_IN_USE", "The volume is in use.")
	}
	delete(c.volumes, instanceID)
	return nil
}

// Catalog offers a version and a flavor.
func (c *Cloud) Catalog(context.Context) (*journalv1.RegisterProviderRequest, error) {
	return &journalv1.RegisterProviderRequest{
		Provider: "memory", Region: "RegionOne", DefaultDatastore: "mariadb",
		DatastoreVersions: []*journalv1.CatalogDatastoreVersion{{Manager: "mariadb", Name: "10.11", Version: "10.11.14"}},
		Flavors:           []*journalv1.CatalogFlavor{{Id: "1", Name: "db.tiny", Ram: 512, Vcpus: 1}},
	}, nil
}

// Tell sends an event, as a real provider does when it notices something.
func (c *Cloud) Tell(event step.ServerEvent) { c.events <- event }

// Events is where Tell's events come out.
func (c *Cloud) Events() <-chan step.ServerEvent { return c.events }

// Run has nothing to look after.
func (c *Cloud) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
