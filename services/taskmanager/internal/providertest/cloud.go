package providertest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// Cloud is what a provider is tested on: empty, and the test's own.
type Cloud interface {
	// Open opens another provider on the same cloud, as another taskmanager would.
	Open(t *testing.T) step.Provider
	// Inventory names everything there is, down to what the provider's caller never sees: processes, mounts, files, rows.
	Inventory(t *testing.T) []string
	// TakeDown ends the instance's server from outside, as a failing machine would.
	TakeDown(t *testing.T, instanceID string)
	// Manager and Version are of a datastore that the cloud has.
	Manager() string
	Version() string
}

// limit is how long any one call may take.
const limit = time.Minute

// instance is what a create asks for.
type instance struct {
	id string
	step.Provider
	cloud Cloud
}

func newInstance(cloud Cloud, provider step.Provider) *instance {
	return &instance{id: uuid.NewString(), Provider: provider, cloud: cloud}
}

// create goes the way of the create workflow.
func (i *instance) create(t *testing.T) step.Server {
	t.Helper()
	server, err := i.CreateServer(t.Context(), i.spec(i.allocate(t), i.createVolume(t)))
	require.NoError(t, err)
	return server
}

func (i *instance) allocate(t *testing.T) step.Address {
	t.Helper()
	address, err := i.AllocateAddress(t.Context(), step.AddressSpec{InstanceID: i.id})
	require.NoError(t, err)
	return address
}

func (i *instance) volumeSpec() step.VolumeSpec {
	return step.VolumeSpec{InstanceID: i.id, Name: "a volume", Size: 1}
}

func (i *instance) createVolume(t *testing.T) step.Volume {
	t.Helper()
	volume, err := i.CreateVolume(t.Context(), i.volumeSpec())
	require.NoError(t, err)
	return volume
}

func (i *instance) spec(address step.Address, volume step.Volume) step.ServerSpec {
	return step.ServerSpec{
		InstanceID: i.id, Name: "a server", Address: address, Volume: volume,
		Flavor:    step.Flavor{ID: "1", Name: "db.tiny", RAM: 512, VCPUs: 1},
		Bootstrap: step.Bootstrap{CAPEM: []byte("ca"), CertificatePEM: []byte("certificate"), KeyPEM: []byte("key")},
		Manager:   i.cloud.Manager(), Version: i.cloud.Version(),
	}
}

// delete goes the way of the delete workflow; it is also the cleanup of the tests.
func (i *instance) delete(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), limit)
	defer cancel()
	require.NoError(t, i.DeleteServer(ctx, i.id))
	require.NoError(t, i.DeleteVolume(ctx, i.id))
	require.NoError(t, i.ReleaseAddress(ctx, i.id))
}

// run runs the provider until the test ends.
func run(t *testing.T, provider step.Provider) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- provider.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
}

// awaitEvent waits until the provider tells the status of the instance's server.
func (i *instance) awaitEvent(t *testing.T, status string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for {
		select {
		case event := <-i.Events():
			if event.InstanceID == i.id && event.Status == status {
				return
			}
		case <-ctx.Done():
			require.FailNow(t, "the provider did not tell that the server is "+status)
		}
	}
}
