package gateway_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/databases"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/datastores"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/instances"
	"github.com/gophercloud/gophercloud/v2/openstack/db/v1/users"
	"github.com/gophercloud/gophercloud/v2/pagination"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
)

// gopher is the client of Terraform and of many Go programs, unmodified.
func gopher(t *testing.T, fake *api) *gophercloud.ServiceClient {
	t.Helper()
	server := httptest.NewServer(handler(t, fake))
	t.Cleanup(server.Close)
	return &gophercloud.ServiceClient{
		ProviderClient: &gophercloud.ProviderClient{TokenID: goodToken}, Endpoint: server.URL + "/v1.0/" + project + "/",
	}
}

func TestGophercloudReadsInstances(t *testing.T) {
	fake := cannedAPI()
	fake.answers[instancev1.InstanceService_ListInstances_FullMethodName] = &instancev1.ListInstancesResponse{
		Instances: []*instancev1.Instance{shown(), broken()},
	}
	client := gopher(t, fake)
	got, err := instances.Get(t.Context(), client, instanceID).Extract()
	require.NoError(t, err)
	assert.Equal(t, "orders", got.Name)
	assert.Equal(t, 2, got.Volume.Size)
	assert.InDelta(t, 0.12, got.Volume.Used, 0)
	assert.Equal(t, "2", got.Flavor.ID)
	assert.Equal(t, 2026, got.Created.Year())

	pages, err := instances.List(client).AllPages(t.Context())
	require.NoError(t, err)
	all, err := instances.ExtractInstances(pages)
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, "create_volume: no space left", all[1].Fault.Message)
}

func TestGophercloudFollowsThePages(t *testing.T) {
	fake := cannedAPI()
	door := gopher(t, fake)
	count := 0
	err := instances.List(door).EachPage(t.Context(), func(_ context.Context, page pagination.Page) (bool, error) {
		count++
		next, err := page.NextPageURL()
		assert.Contains(t, next, "marker="+instanceID)
		return false, err
	})
	require.NoError(t, err)
	assert.Equal(t, 1, count)
}

func TestGophercloudChangesInstances(t *testing.T) {
	fake := cannedAPI()
	client := gopher(t, fake)
	made, err := instances.Create(t.Context(), client, instances.CreateOpts{
		Name: "orders", FlavorRef: "2", Size: 2,
		Databases: databases.BatchCreateOpts{{Name: "shop", CharSet: "utf8mb4"}},
		Users:     users.BatchCreateOpts{{Name: "joe", Password: "pw", Databases: databases.BatchCreateOpts{{Name: "shop"}}}},
		Networks:  []instances.NetworkOpts{{UUID: "3dc8f3c2-f335-11eb-878c-00224d6b7bc1", V4FixedIP: "10.0.0.1"}},
	}).Extract()
	require.NoError(t, err)
	assert.Equal(t, "BUILD", made.Status)
	asked, ok := fake.requests[0].(*instancev1.CreateInstanceRequest)
	require.True(t, ok)
	assert.True(t, proto.Equal(&instancev1.NewNIC{
		NetId: proto.String("3dc8f3c2-f335-11eb-878c-00224d6b7bc1"), V4FixedIp: proto.String("10.0.0.1"),
	}, asked.GetInstance().GetNics()[0]))
	require.NoError(t, instances.Restart(t.Context(), client, instanceID).ExtractErr())
	require.NoError(t, instances.Delete(t.Context(), client, instanceID).ExtractErr())
}

func TestGophercloudReadsDatastoresAndFlavors(t *testing.T) {
	client := gopher(t, cannedAPI())
	pages, err := datastores.List(client).AllPages(t.Context())
	require.NoError(t, err)
	stores, err := datastores.ExtractDatastores(pages)
	require.NoError(t, err)
	assert.Equal(t, "mariadb", stores[0].Name)
	version, err := datastores.GetVersion(t.Context(), client, stores[0].ID, stores[0].DefaultVersion).Extract()
	require.NoError(t, err)
	assert.Equal(t, "10.11", version.Name)

	pages, err = flavors.List(client).AllPages(t.Context())
	require.NoError(t, err)
	sizes, err := flavors.ExtractFlavors(pages)
	require.NoError(t, err)
	assert.Equal(t, 2, sizes[0].ID)
	assert.Equal(t, "gold", sizes[1].StrID)
}
