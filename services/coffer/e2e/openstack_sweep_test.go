package e2e_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/security/groups"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	login "github.com/coffer-dbaas/coffer/pkg/openstack"
)

// TestOpenStackStraysAreRemovedAndServersMissed leaves in the cloud what nobody owns, and takes a server away that somebody
// does.
func TestOpenStackStraysAreRemovedAndServersMissed(t *testing.T) {
	b := openLab(t)
	before := b.inventory()
	deployment := newDeployment()
	s := b.starterOf(deployment)(withEnv("COFFER_TASKMANAGER_SWEEP_INTERVAL=1s", "COFFER_TASKMANAGER_SWEEP_GRACE=2s"))
	user := s.signIn("coffer")
	made := user.createReady("missed")

	client, at, err := login.Client(t.Context(), login.Config{Cloud: "bed-coffer", CloudsFile: filepath.Join(labFolder, "clouds.yaml")})
	require.NoError(t, err)
	nova, err := openstack.NewComputeV2(client, at)
	require.NoError(t, err)
	cinder, err := openstack.NewBlockStorageV3(client, at)
	require.NoError(t, err)
	neutron, err := openstack.NewNetworkV2(client, at)
	require.NoError(t, err)

	pages, err := servers.List(nova, servers.ListOpts{Name: "missed"}).AllPages(t.Context())
	require.NoError(t, err)
	found, err := servers.ExtractServers(pages)
	require.NoError(t, err)
	missed := slices.IndexFunc(found, func(s servers.Server) bool { return s.Metadata["coffer_instance"] == made.ID })
	require.GreaterOrEqual(t, missed, 0)
	require.NoError(t, servers.Delete(t.Context(), nova, found[missed].ID).ExtractErr())
	within(t, "the server to be missed", func() bool { return user.show(made.ID).Status == "SHUTDOWN" })
	user.awaitSuccess(user.delete(made.ID))
	require.Equal(t, before, b.inventory())

	mark := deployment + "-" + made.ID
	_, err = volumes.Create(t.Context(), cinder, volumes.CreateOpts{Name: mark, Size: 1}, nil).Extract()
	require.NoError(t, err)
	_, err = groups.Create(t.Context(), neutron, groups.CreateOpts{Name: mark}).Extract()
	require.NoError(t, err)
	unknown, err := groups.Create(t.Context(), neutron, groups.CreateOpts{Name: deployment + "-" + uuid.NewString()}).Extract()
	require.NoError(t, err)
	withUnknown := append(slices.Clone(before), "Neutron security-groups "+unknown.ID)
	slices.Sort(withUnknown)
	within(t, "the strays to be gone, and what was never known here to stay", func() bool {
		return slices.Equal(withUnknown, b.inventory())
	})
	require.NoError(t, groups.Delete(t.Context(), neutron, unknown.ID).ExtractErr())
	assert.Equal(t, before, b.inventory())
}
