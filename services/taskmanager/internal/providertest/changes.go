package providertest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// changes are the tests of what becomes of servers and volumes after they were made.
var changes = map[string]func(t *testing.T, cloud Cloud){
	"AStoppedServerNeverRunsAgainUntilItIsStarted":      stoppedForGood,
	"StoppingWhatIsNotThereSucceeds":                    stoppingNothing,
	"AServerIsRebootedSoftAndHardAlsoWhenItIsDown":      rebooted,
	"AResizeIsConfirmedOrReverted":                      resized,
	"AVolumeGrowsInUseAndNeverShrinks":                  extended,
	"AServerIsRebuiltAroundItsVolumeAndAddress":         rebuilt,
	"WhatTheCapabilitiesDoNotNameIsRefusedAsInvalid":    incapable,
	"AServerThatIsNotThereIsNotFoundByWhateverChanges":  changingNothing,
	"EverybodyMayBeLetInWhereNobodyElseCanBeToldApart":  everybodyIsLetIn,
	"AStoppedServerIsDeletedLikeAnyOther":               stoppedThenDeleted,
	"AVolumeOfAServerThatIsDownGrowsAndIsThereWhenItIs": extendedWhileDown,
}

func stoppedForGood(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	run(t, i)
	i.create(t)

	require.NoError(t, i.StopServer(t.Context(), i.id))
	i.awaitEvent(t, "SHUTDOWN")
	i.assertStatus(t, "SHUTDOWN")
	require.NoError(t, i.StopServer(t.Context(), i.id), "again")

	_, err := i.CreateServer(t.Context(), i.spec(i.allocate(t), i.createVolume(t)))
	assert.True(t, errs.IsKind(err, errs.WrongState), "created: got %v", err)
	_, err = i.RebootServer(t.Context(), i.id, true)
	assert.True(t, errs.IsKind(err, errs.WrongState), "rebooted: got %v", err)
	_, err = i.ResizeServer(t.Context(), i.id, step.Flavor{ID: "2", RAM: 1024, VCPUs: 1})
	assert.True(t, errs.IsKind(err, errs.WrongState), "resized: got %v", err)
	_, err = i.RebuildServer(t.Context(), i.spec(i.allocate(t), i.createVolume(t)))
	assert.True(t, errs.IsKind(err, errs.WrongState), "rebuilt: got %v", err)
	i.assertStatus(t, "SHUTDOWN")

	other := newInstance(cloud, cloud.Open(t))
	other.id = i.id
	other.assertStatus(t, "SHUTDOWN")

	_, err = other.StartServer(t.Context(), i.id)
	require.NoError(t, err)
	i.awaitEvent(t, "ACTIVE")
	i.assertStatus(t, "ACTIVE")
}

func (i *instance) assertStatus(t *testing.T, status string) {
	t.Helper()
	server, err := i.Server(t.Context(), i.id)
	require.NoError(t, err)
	assert.Equal(t, status, server.Status)
}

func stoppingNothing(t *testing.T, cloud Cloud) {
	provider := cloud.Open(t)
	before := cloud.Inventory(t)

	require.NoError(t, provider.StopServer(t.Context(), uuid.NewString()))
	require.NoError(t, provider.ConfirmResize(t.Context(), uuid.NewString()))
	assert.Equal(t, before, cloud.Inventory(t))
}

func rebooted(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	server := i.create(t)
	for _, hard := range []bool{false, true} {
		before := cloud.Inventory(t)
		again, err := i.RebootServer(t.Context(), i.id, hard)
		require.NoError(t, err)
		assert.Equal(t, server, again)
		assert.NotEqual(t, before, cloud.Inventory(t), "nothing was started anew")

		cloud.TakeDown(t, i.id)
		again, err = i.RebootServer(t.Context(), i.id, hard)
		require.NoError(t, err)
		assert.Equal(t, server, again)
		i.assertStatus(t, "ACTIVE")
	}
}

func resized(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	server := i.create(t)
	larger := step.Flavor{ID: "2", Name: "db.small", RAM: 1024, VCPUs: 1}
	for _, ends := range []func() error{
		func() error { _, err := i.RevertResize(t.Context(), i.id); return err },
		func() error { return i.ConfirmResize(t.Context(), i.id) },
	} {
		for range 2 {
			again, err := i.ResizeServer(t.Context(), i.id, larger)
			require.NoError(t, err)
			assert.Equal(t, server, again)
		}
		require.NoError(t, ends())
		require.NoError(t, ends(), "again")
		i.assertStatus(t, "ACTIVE")
	}
	before := cloud.Inventory(t)
	_, err := i.RevertResize(t.Context(), i.id)
	require.NoError(t, err, "there is nothing to revert any more")
	assert.Equal(t, before, cloud.Inventory(t))
}

func extended(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	i.create(t)
	for range 2 {
		volume, err := i.ExtendVolume(t.Context(), i.id, 2)
		require.NoError(t, err)
		assert.Equal(t, 2, volume.Size)
	}
	_, err := i.ExtendVolume(t.Context(), i.id, 1)
	assert.True(t, errs.IsKind(err, errs.Invalid), "smaller: got %v", err)
	_, err = i.ExtendVolume(t.Context(), i.id, 1<<24)
	assert.True(t, errs.IsKind(err, errs.OverQuota), "16 PiB: got %v", err)
	assert.Equal(t, 2, i.createVolume(t).Size)
	i.assertStatus(t, "ACTIVE")
}

func extendedWhileDown(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	i.create(t)
	cloud.TakeDown(t, i.id)

	_, err := i.ExtendVolume(t.Context(), i.id, 2)
	require.NoError(t, err)

	_, err = i.StartServer(t.Context(), i.id)
	require.NoError(t, err)
	assert.Equal(t, 2, i.createVolume(t).Size)
}

func rebuilt(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	server := i.create(t)
	_, err := i.ExtendVolume(t.Context(), i.id, 2)
	require.NoError(t, err)

	again, err := i.RebuildServer(t.Context(), i.spec(i.allocate(t), i.createVolume(t)))

	require.NoError(t, err)
	assert.Equal(t, server.GuestAddress, again.GuestAddress)
	assert.Equal(t, "ACTIVE", again.Status)
	assert.Equal(t, 2, i.createVolume(t).Size)
}

func incapable(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	i.create(t)
	before := cloud.Inventory(t)
	catalog, err := i.Catalog(t.Context())
	require.NoError(t, err)
	can := catalog.GetCapabilities()

	if !can.GetMigration() {
		_, err := i.MigrateServer(t.Context(), i.id, "")
		assert.True(t, errs.IsKind(err, errs.Invalid), "migration: got %v", err)
	}
	if !can.GetImages() {
		spec := i.spec(i.allocate(t), i.createVolume(t))
		spec.Image = uuid.NewString()
		_, err := i.RebuildServer(t.Context(), spec)
		assert.True(t, errs.IsKind(err, errs.Invalid), "image: got %v", err)
	}
	if !can.GetPublicAddresses() {
		_, err := i.UpdateAccess(t.Context(), i.id, step.Access{Manager: cloud.Manager(), Public: true})
		assert.True(t, errs.IsKind(err, errs.Invalid), "public address: got %v", err)
	}
	if !can.GetAccessRules() {
		_, err := i.UpdateAccess(t.Context(), i.id, step.Access{Manager: cloud.Manager(), CIDRs: []string{"192.0.2.0/24"}})
		assert.True(t, errs.IsKind(err, errs.Invalid), "access rule: got %v", err)
	}
	assert.Equal(t, before, cloud.Inventory(t))
}

func everybodyIsLetIn(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	i.create(t)
	for _, access := range []step.Access{{Manager: cloud.Manager()}, {Manager: cloud.Manager(), CIDRs: []string{"0.0.0.0/0"}}} {
		public, err := i.UpdateAccess(t.Context(), i.id, access)
		require.NoError(t, err)
		assert.Empty(t, public)
	}
}

func changingNothing(t *testing.T, cloud Cloud) {
	i := newInstance(cloud, cloud.Open(t))
	defer i.delete(t)
	spec := i.spec(i.allocate(t), i.createVolume(t))
	before := cloud.Inventory(t)
	for name, change := range map[string]func() error{
		"start":  func() error { _, err := i.StartServer(t.Context(), i.id); return err },
		"reboot": func() error { _, err := i.RebootServer(t.Context(), i.id, false); return err },
		"resize": func() error {
			_, err := i.ResizeServer(t.Context(), i.id, step.Flavor{ID: "2", RAM: 1024, VCPUs: 1})
			return err
		},
		"revert":  func() error { _, err := i.RevertResize(t.Context(), i.id); return err },
		"rebuild": func() error { _, err := i.RebuildServer(t.Context(), spec); return err },
		"extend":  func() error { _, err := i.ExtendVolume(t.Context(), uuid.NewString(), 2); return err },
	} {
		err := change()
		assert.True(t, errs.IsKind(err, errs.NotFound), "%s: got %v", name, err)
	}
	assert.Equal(t, before, cloud.Inventory(t))
}

func stoppedThenDeleted(t *testing.T, cloud Cloud) {
	provider := cloud.Open(t)
	before := cloud.Inventory(t)
	i := newInstance(cloud, provider)
	i.create(t)
	require.NoError(t, i.StopServer(t.Context(), i.id))

	i.delete(t)

	assert.Equal(t, before, cloud.Inventory(t))
}
