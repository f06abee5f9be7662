package e2e_test

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/config"
	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/configurations"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/databases"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/datastores"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/instances"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/users"
	"github.com/gophercloud/gophercloud/v2/pagination"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gopher signs in as Go programs do: clouds.yaml, a token, the catalog, all by gophercloud's own packages.
func (s *serve) gopher(cloudName string) *gophercloud.ServiceClient {
	s.t.Helper()
	auth, endpoint, _, err := clouds.Parse(
		clouds.WithCloudName(cloudName), clouds.WithLocations(filepath.Join(s.dataDir, "clouds.yaml")))
	require.NoError(s.t, err)
	provider, err := config.NewProviderClient(s.t.Context(), auth)
	require.NoError(s.t, err)
	database, err := openstack.NewDBV1(provider, endpoint)
	require.NoError(s.t, err)
	return database
}

func TestGophercloudWorksUnmodified(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	service, user := s.gopher("coffer"), s.signIn("coffer")
	gopherReadsTheCatalog(t, service)

	made, err := instances.Create(t.Context(), service, instances.CreateOpts{
		Name: "first", FlavorRef: "1", Size: 1,
		Datastore: &instances.DatastoreOpts{Type: "mariadb", Version: "10.11"},
		Databases: databases.BatchCreateOpts{{Name: "shop", CharSet: "utf8mb4", Collate: "utf8mb4_general_ci"}},
		Users: users.BatchCreateOpts{{
			Name: "keeper", Password: userPassword, Databases: databases.BatchCreateOpts{{Name: "shop"}},
		}},
	}).Extract()
	require.NoError(t, err)
	assert.Equal(t, "BUILD", made.Status)
	assert.False(t, made.Created.IsZero())
	second, err := instances.Create(t.Context(), service, instances.CreateOpts{
		Name: "second", FlavorRef: "1", Size: 1, VolumeType: "local",
		// Terraform sends both keys, and lists even when they are empty.
		Datastore: &instances.DatastoreOpts{}, Databases: databases.BatchCreateOpts{}, Users: users.BatchCreateOpts{},
	}).Extract()
	require.NoError(t, err)
	user.awaitOperating(made.ID, "HEALTHY")
	user.awaitOperating(second.ID, "HEALTHY")

	shown, err := instances.Get(t.Context(), service, made.ID).Extract()
	require.NoError(t, err)
	assert.Equal(t, "ACTIVE", shown.Status)
	assert.Equal(t, "mariadb", shown.Datastore.Type)
	assert.Equal(t, 1, shown.Volume.Size)
	assert.Positive(t, shown.Volume.Used)
	assert.Equal(t, "1", shown.Flavor.ID)
	require.Len(t, shown.IP, 1)
	require.Len(t, shown.Addresses, 1)
	assert.Equal(t, shown.IP[0], shown.Addresses[0].Address)
	assert.Nil(t, shown.Fault)
	gopherReadsTwoPages(t, service)

	gopherChanges(t, service, user, made.ID)

	for what, err := range map[string]error{
		"users":        pagesOf(t, users.List(service, made.ID)),
		"create users": users.Create(t.Context(), service, made.ID, users.BatchCreateOpts{{Name: "u", Password: userPassword}}).ExtractErr(),
		"databases":    pagesOf(t, databases.List(service, made.ID)),
		"root":         instances.EnableRootUser(t.Context(), service, made.ID).Err,
		"groups":       pagesOf(t, configurations.List(service)),
	} {
		assert.True(t, gophercloud.ResponseCodeIs(err, http.StatusNotImplemented), "%s: %v", what, err)
	}

	for _, id := range []string{made.ID, second.ID} {
		require.NoError(t, instances.Delete(t.Context(), service, id).ExtractErr())
	}
	for _, id := range []string{made.ID, second.ID} {
		user.awaitGone(id)
		_, err := instances.Get(t.Context(), service, id).Extract()
		assert.True(t, gophercloud.ResponseCodeIs(err, http.StatusNotFound), "%v", err)
	}
}

// gopherChanges does what gophercloud can to an instance. It takes any answer but 202 for a failure.
func gopherChanges(t *testing.T, service *gophercloud.ServiceClient, user *client, id string) {
	t.Helper()
	require.NoError(t, instances.Restart(t.Context(), service, id).ExtractErr())
	user.awaitIdle(id)
	require.NoError(t, instances.Resize(t.Context(), service, id, "2").ExtractErr())
	user.awaitIdle(id)
	require.NoError(t, instances.ResizeVolume(t.Context(), service, id, 2).ExtractErr())
	user.awaitIdle(id)
	changed, err := instances.Get(t.Context(), service, id).Extract()
	require.NoError(t, err)
	assert.Equal(t, "2", changed.Flavor.ID)
	assert.Equal(t, 2, changed.Volume.Size)
	assert.Equal(t, "ACTIVE", changed.Status)

	// There are no groups of configuration yet: none is detached, and none is found.
	require.NoError(t, instances.DetachConfigurationGroup(t.Context(), service, id).ExtractErr())
	err = instances.AttachConfigurationGroup(t.Context(), service, id, nobodysID).ExtractErr()
	assert.True(t, gophercloud.ResponseCodeIs(err, http.StatusNotFound), "%v", err)
	for what, err := range map[string]error{
		"the same flavor":  instances.Resize(t.Context(), service, id, "2").ExtractErr(),
		"a smaller volume": instances.ResizeVolume(t.Context(), service, id, 1).ExtractErr(),
	} {
		assert.True(t, gophercloud.ResponseCodeIs(err, http.StatusBadRequest), "%s: %v", what, err)
	}
}

func gopherReadsTheCatalog(t *testing.T, service *gophercloud.ServiceClient) {
	t.Helper()
	pages, err := flavors.List(service).AllPages(t.Context())
	require.NoError(t, err)
	sizes, err := flavors.ExtractFlavors(pages)
	require.NoError(t, err)
	require.Len(t, sizes, 4)
	assert.Equal(t, flavors.Flavor{ID: 1, Name: "db.tiny", RAM: 512, StrID: "1", Links: sizes[0].Links}, sizes[0])
	one, err := flavors.Get(t.Context(), service, "1").Extract()
	require.NoError(t, err)
	assert.Equal(t, sizes[0], *one)

	pages, err = datastores.List(service).AllPages(t.Context())
	require.NoError(t, err)
	stores, err := datastores.ExtractDatastores(pages)
	require.NoError(t, err)
	require.NotEmpty(t, stores)
	store, err := datastores.Get(t.Context(), service, "mariadb").Extract()
	require.NoError(t, err)
	assert.NotEmpty(t, store.DefaultVersion)
	pages, err = datastores.ListVersions(service, store.ID).AllPages(t.Context())
	require.NoError(t, err)
	versions, err := datastores.ExtractVersions(pages)
	require.NoError(t, err)
	require.NotEmpty(t, versions)
	version, err := datastores.GetVersion(t.Context(), service, store.ID, versions[0].ID).Extract()
	require.NoError(t, err)
	assert.Equal(t, versions[0].Name, version.Name)
}

// gopherReadsTwoPages holds that gophercloud, which knows no limit and follows instances_links alone, sees all pages.
func gopherReadsTwoPages(t *testing.T, service *gophercloud.ServiceClient) {
	t.Helper()
	address := service.ServiceURL("instances") + "?limit=1"
	paged := pagination.NewPager(service, address, func(r pagination.PageResult) pagination.Page {
		return instances.InstancePage{LinkedPageBase: pagination.LinkedPageBase{PageResult: r}}
	})
	var names []string
	count := 0
	require.NoError(t, paged.EachPage(t.Context(), func(_ context.Context, page pagination.Page) (bool, error) {
		count++
		found, err := instances.ExtractInstances(page)
		for _, i := range found {
			names = append(names, i.Name)
		}
		return true, err
	}))
	assert.Equal(t, 2, count)
	assert.ElementsMatch(t, []string{"first", "second"}, names)
}

func pagesOf(t *testing.T, pager pagination.Pager) error {
	t.Helper()
	_, err := pager.AllPages(t.Context())
	return err
}

// awaitGone waits until the instance has been deleted.
func (c *client) awaitGone(id string) {
	c.t.Helper()
	c.watch("", func() bool {
		return c.call(http.MethodGet, "/instances/"+id, nil).code == http.StatusNotFound
	}, func(kind string, data []byte) bool {
		return kind == "task" && c.call(http.MethodGet, "/instances/"+id, nil).code == http.StatusNotFound
	})
}
