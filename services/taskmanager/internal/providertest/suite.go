package providertest

import (
	"context"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// Run exercises a provider; newCloud makes an empty cloud for each test.
func Run(t *testing.T, newCloud func(t *testing.T) Cloud) {
	for name, test := range map[string]func(t *testing.T, cloud Cloud){
		"ACreatedServerIsActiveAndFoundByItsInstance":        createdServerIsFound,
		"CreatingAgainAnswersWithWhatIsThere":                creatingAgain,
		"NothingIsLeftOfADeletedInstance":                    nothingIsLeft,
		"NothingIsLeftOfAHalfMadeInstance":                   nothingIsLeftOfHalves,
		"DeletingWhatIsNotThereSucceeds":                     deletingNothing,
		"AVolumeIsNotDeletedUnderItsServer":                  volumeInUse,
		"AddressesAreUniqueWhenTwoTaskmanagersAllocate":      addressesAreUnique,
		"TwoTaskmanagersCreatingTheSameServerMakeOne":        sameServerTwice,
		"AServerThatGoesDownIsToldAndComesBackWhenCreated":   downAndUp,
		"AnotherProviderFindsTheServersThatRun":              adoption,
		"WhatTheProviderDoesNotHaveIsRefusedAsInvalid":       refusals,
		"AVolumeThatDoesNotFitIsRefusedAndLeavesNothing":     noSpace,
		"TheCatalogueOffersAllThatACreateNeeds":              catalogue,
		"CallsEndWhenTheirContextDoes":                       contexts,
		"AnInstanceIDThatIsNoNameIsRefusedAndTouchesNothing": badIDs,
	} {
		t.Run(name, func(t *testing.T) { test(t, newCloud(t)) })
	}
	for name, test := range changes {
		t.Run(name, func(t *testing.T) { test(t, newCloud(t)) })
	}
}

func createdServerIsFound(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	server := i.create(t)

	assert.Equal(t, "ACTIVE", server.Status)
	assert.Equal(t, i.id, server.InstanceID)
	assert.NotEmpty(t, server.ID)
	assert.NotEmpty(t, server.GuestAddress)
	found, err := i.Server(t.Context(), i.id)
	require.NoError(t, err)
	assert.Equal(t, server, found)
}

func creatingAgain(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	address, volume := i.allocate(t), i.createVolume(t)
	server := i.create(t)
	before := cloud.Inventory(t)

	again := newInstance(cloud, cloud.Open(t))
	again.id = i.id
	assert.Equal(t, address, again.allocate(t))
	assert.Equal(t, volume, again.createVolume(t))
	assert.Equal(t, server, again.create(t))
	assert.Equal(t, before, cloud.Inventory(t))
}

func nothingIsLeft(t *testing.T, cloud Cloud) {
	provider := cloud.Open(t)
	before := cloud.Inventory(t)
	i := newInstance(cloud, provider)
	i.create(t)
	require.NotEqual(t, before, cloud.Inventory(t), "the inventory does not see a server")
	i.delete(t)

	assert.Equal(t, before, cloud.Inventory(t))
	_, err := i.Server(t.Context(), i.id)
	assert.True(t, errs.IsKind(err, errs.NotFound), "got %v", err)
}

func nothingIsLeftOfHalves(t *testing.T, cloud Cloud) {
	provider := cloud.Open(t)
	before := cloud.Inventory(t)
	for _, half := range []func(i *instance){
		func(i *instance) { i.allocate(t) },
		func(i *instance) { i.createVolume(t) },
		func(i *instance) { i.allocate(t); i.createVolume(t) },
	} {
		i := newInstance(cloud, provider)
		half(i)
		i.delete(t)
	}
	assert.Equal(t, before, cloud.Inventory(t))
}

func deletingNothing(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	i.delete(t)
	i.create(t)
	i.delete(t)
	i.delete(t)
}

func volumeInUse(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	i.create(t)
	before := cloud.Inventory(t)

	require.Error(t, i.DeleteVolume(t.Context(), i.id))
	assert.Equal(t, before, cloud.Inventory(t))
}

func addressesAreUnique(t *testing.T, cloud Cloud) {
	const each = 10
	var mu sync.Mutex
	var wait sync.WaitGroup
	taken := map[string]string{}
	for _, provider := range []step.Provider{cloud.Open(t), cloud.Open(t)} {
		for range each {
			i := newInstance(cloud, provider)
			defer i.delete(t)
			wait.Go(func() {
				address, err := i.AllocateAddress(t.Context(), step.AddressSpec{InstanceID: i.id})
				if err != nil {
					assert.Fail(t, "no address", err.Error())
					return
				}
				mu.Lock()
				defer mu.Unlock()
				assert.Empty(t, taken[address.IP], "%s was given twice", address.IP)
				taken[address.IP] = i.id
			})
		}
	}
	wait.Wait()
	assert.Len(t, taken, 2*each)
}

func sameServerTwice(t *testing.T, cloud Cloud) {
	first := newInstance(cloud, cloud.Open(t))
	defer first.delete(t)
	spec := first.spec(first.allocate(t), first.createVolume(t))
	var wait sync.WaitGroup
	servers := make([]step.Server, 2)
	for n, provider := range []step.Provider{first, cloud.Open(t)} {
		wait.Go(func() {
			server, err := provider.CreateServer(t.Context(), spec)
			assert.NoError(t, err)
			servers[n] = server
		})
	}
	wait.Wait()
	assert.Equal(t, servers[0], servers[1])
}

func downAndUp(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	run(t, i)
	server := i.create(t)

	cloud.TakeDown(t, i.id)
	i.awaitEvent(t, "SHUTDOWN")
	found, err := i.Server(t.Context(), i.id)
	require.NoError(t, err)
	assert.Equal(t, "SHUTDOWN", found.Status)

	assert.Equal(t, server, i.create(t))
	i.awaitEvent(t, "ACTIVE")
}

func adoption(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	server := i.create(t)
	before := cloud.Inventory(t)

	other := newInstance(cloud, cloud.Open(t))
	other.id = i.id
	run(t, other)
	other.awaitEvent(t, "ACTIVE")
	found, err := other.Server(t.Context(), i.id)
	require.NoError(t, err)
	assert.Equal(t, server, found)
	assert.Equal(t, before, cloud.Inventory(t), "the servers were started anew")

	cloud.TakeDown(t, i.id)
	other.awaitEvent(t, "SHUTDOWN")
}

func refusals(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	spec := i.spec(i.allocate(t), i.createVolume(t))
	before := cloud.Inventory(t)

	spec.AvailabilityZone = "nowhere"
	_, err := i.CreateServer(t.Context(), spec)
	assert.True(t, errs.IsKind(err, errs.Invalid), "zone of a server: got %v", err)
	spec.AvailabilityZone, spec.Manager = "", "nothing"
	_, err = i.CreateServer(t.Context(), spec)
	assert.True(t, errs.IsKind(err, errs.Invalid), "datastore: got %v", err)

	volume := step.VolumeSpec{InstanceID: uuid.NewString(), Size: 1, AvailabilityZone: "nowhere"}
	_, err = i.CreateVolume(t.Context(), volume)
	assert.True(t, errs.IsKind(err, errs.Invalid), "zone of a volume: got %v", err)
	volume.AvailabilityZone, volume.Type = "", "nothing"
	_, err = i.CreateVolume(t.Context(), volume)
	assert.True(t, errs.IsKind(err, errs.Invalid), "volume type: got %v", err)

	_, err = i.AllocateAddress(t.Context(), step.AddressSpec{InstanceID: uuid.NewString(), NetworkID: uuid.NewString()})
	assert.True(t, errs.IsKind(err, errs.Invalid), "network: got %v", err)
	assert.Equal(t, before, cloud.Inventory(t))
}

func noSpace(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	before := cloud.Inventory(t)
	spec := i.volumeSpec()
	spec.Size = 1 << 24 // 16 PiB
	_, err := i.CreateVolume(t.Context(), spec)

	require.Error(t, err)
	assert.True(t, errs.IsKind(err, errs.OverQuota), "got %v", err)
	assert.Equal(t, before, cloud.Inventory(t))
}

func catalogue(t *testing.T, cloud Cloud) {
	c, err := cloud.Open(t).Catalog(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, c.GetProvider())
	assert.NotEmpty(t, c.GetRegion())
	require.NotEmpty(t, c.GetDatastoreVersions())
	managers := map[string]bool{}
	for _, version := range c.GetDatastoreVersions() {
		managers[version.GetManager()] = true
		assert.NotEmpty(t, version.GetName())
		assert.NotEmpty(t, version.GetVersion())
	}
	assert.True(t, managers[cloud.Manager()])
	assert.True(t, managers[c.GetDefaultDatastore()], "the default is not offered")
	require.NotEmpty(t, c.GetFlavors())
	for _, flavor := range c.GetFlavors() {
		assert.NotEmpty(t, flavor.GetId())
		assert.NotEmpty(t, flavor.GetName())
		assert.Positive(t, flavor.GetRam())
	}
	assert.NotEmpty(t, c.GetVolumeTypes())
	assert.NotEmpty(t, c.GetNetworks())
	assert.NotEmpty(t, c.GetAvailabilityZones())
	assert.NotNil(t, c.GetCapabilities())

	again, err := cloud.Open(t).Catalog(t.Context())
	require.NoError(t, err)
	assert.Equal(t, c.GetNetworks()[0].GetId(), again.GetNetworks()[0].GetId(), "ids change")
	assert.Equal(t, c.GetVolumeTypes()[0].GetId(), again.GetVolumeTypes()[0].GetId(), "ids change")
}

func contexts(t *testing.T, cloud Cloud) {
	provider := cloud.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- provider.Run(ctx) }()
	cancel()
	require.NoError(t, <-ended, "the end of the context is no failure of Run")
}

func badIDs(t *testing.T, cloud Cloud) {
	provider := cloud.Open(t)
	before := cloud.Inventory(t)
	for _, id := range []string{"", ".", "..", "../elsewhere", "a/b", "-rf"} {
		_, err := provider.AllocateAddress(t.Context(), step.AddressSpec{InstanceID: id})
		assert.True(t, errs.IsKind(err, errs.Invalid), "address of %q: got %v", id, err)
		_, err = provider.CreateVolume(t.Context(), step.VolumeSpec{InstanceID: id, Size: 1})
		assert.True(t, errs.IsKind(err, errs.Invalid), "volume of %q: got %v", id, err)
		require.Error(t, provider.DeleteServer(t.Context(), id))
		require.Error(t, provider.DeleteVolume(t.Context(), id))
		require.Error(t, provider.ReleaseAddress(t.Context(), id))
	}
	assert.Equal(t, before, cloud.Inventory(t))
}
