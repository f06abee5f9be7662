package e2e_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/imagedata"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	login "github.com/coffer-dbaas/coffer/pkg/openstack"
)

// lab is the OpenStack on this machine: its servers are namespaces of this host, in which real agents run.
type lab struct {
	t      *testing.T
	client *gophercloud.ProviderClient
	at     gophercloud.EndpointOpts
}

const labFolder = "../../../deploy/openstack"

// machineImage begins the names of images for namespaces: they say which engines this host has, and are empty.
const machineImage = "coffer-machine"

func needOpenStack(t *testing.T) {
	t.Helper()
	if os.Getenv("COFFER_TEST_OPENSTACK") == "" {
		t.Skip("needs a running OpenStack: make openstack-up, then make test-openstack")
	}
}

// openLab skips the test where no OpenStack runs.
func openLab(t *testing.T) *lab {
	t.Helper()
	needOpenStack(t)
	client, at, err := login.Client(t.Context(), login.Config{Cloud: "bed-admin", CloudsFile: filepath.Join(labFolder, "clouds.yaml")})
	require.NoError(t, err)
	b := &lab{t: t, client: client, at: at}
	b.needImage()
	return b
}

// serve starts `coffer serve` on the bed, under a deployment of its own.
func (b *lab) serve(options ...serveOption) *serve {
	b.t.Helper()
	return b.starter()(options...)
}

// onLab runs a test for each engine, of which nothing may be left in any service.
func onLab(t *testing.T, test func(t *testing.T, b *lab, d datastore)) {
	t.Helper()
	b := openLab(t)
	before := b.inventory()
	t.Run("each engine", func(t *testing.T) {
		forEachDatastore(t, func(t *testing.T, d datastore) { test(t, b.in(t), d) })
	})
	assert.Equal(t, before, b.inventory())
}

// in is the lab as a part of the test sees it, whose failures are its own.
func (b *lab) in(t *testing.T) *lab {
	t.Helper()
	part := *b
	part.t = t
	return &part
}

// starter starts the service of a new deployment.
func (b *lab) starter() starter {
	b.t.Helper()
	return b.starterOf(newDeployment())
}

func newDeployment() string { return "e" + strings.ReplaceAll(uuid.NewString(), "-", "")[:12] }

func (b *lab) starterOf(deployment string) starter {
	b.t.Helper()
	config, err := filepath.Abs(filepath.Join(labFolder, "coffer.yaml"))
	require.NoError(b.t, err)
	clouds, err := filepath.Abs(filepath.Join(labFolder, "clouds.yaml"))
	require.NoError(b.t, err)
	dataDir := newDataDir(b.t)
	common := []serveOption{withArgs("--config", config), withEnv(
		"OS_CLIENT_CONFIG_FILE="+clouds,
		"COFFER_TASKMANAGER_OPENSTACK_DEPLOYMENT="+deployment,
		"COFFER_API_QUOTA_INSTANCES=-1", "COFFER_API_QUOTA_VOLUMES=250",
	)}
	return func(options ...serveOption) *serve {
		s := startServe(b.t, dataDir, slices.Concat(common, options)...)
		s.servers = "/var/lib/coffer-guest"
		return s
	}
}

// needImage makes an image with the engines of this host, which are those of the namespaces.
func (b *lab) needImage() {
	b.t.Helper()
	properties, name := map[string]string{}, machineImage
	for _, d := range everyDatastore {
		versions, err := d.versions()
		require.NoError(b.t, err)
		require.NotEmpty(b.t, versions, d.name)
		properties["coffer_"+d.name] = versions[0]
		name += "-" + versions[0]
	}
	pages, err := images.List(b.glance(), images.ListOpts{Name: name}).AllPages(b.t.Context())
	require.NoError(b.t, err)
	found, err := images.ExtractImages(pages)
	require.NoError(b.t, err)
	if len(found) == 0 {
		b.makeImage(name, properties)
	}
}

func (b *lab) glance() *gophercloud.ServiceClient {
	b.t.Helper()
	client, err := openstack.NewImageV2(b.client, b.at)
	require.NoError(b.t, err)
	return client
}

// makeImage gives the id of an image that says of itself which engines it has.
func (b *lab) makeImage(name string, properties map[string]string) string {
	b.t.Helper()
	public := images.ImageVisibilityPublic
	made, err := images.Create(b.t.Context(), b.glance(), images.CreateOpts{
		Name: name, Tags: []string{"coffer"}, DiskFormat: "raw", ContainerFormat: "bare", Visibility: &public, Properties: properties,
	}).Extract()
	require.NoError(b.t, err)
	require.NoError(b.t, imagedata.Upload(b.t.Context(), b.glance(), made.ID, strings.NewReader(strings.Repeat("\x00", 1<<16))).ExtractErr())
	return made.ID
}

// inventory counts what there is in all services of the bed.
func (b *lab) inventory() []string {
	b.t.Helper()
	var found []string
	for _, service := range []struct {
		kind string
		make func(*gophercloud.ProviderClient, gophercloud.EndpointOpts) (*gophercloud.ServiceClient, error)
		// lists are paths, each with the key of its list.
		lists map[string]string
	}{
		{"Keystone", openstack.NewIdentityV3, map[string]string{"projects": "projects", "users": "users", "services": "services", "endpoints": "endpoints"}},
		{"Placement", openstack.NewPlacementV1, map[string]string{"resource_providers": "resource_providers"}},
		{"Glance", openstack.NewImageV2, map[string]string{"images": "images"}},
		{"Nova", openstack.NewComputeV2, map[string]string{"servers?all_tenants=1": "servers", "os-server-groups?all_projects=1": "server_groups"}},
		{"Neutron", openstack.NewNetworkV2, map[string]string{"ports": "ports", "security-groups": "security_groups", "floatingips": "floatingips", "networks": "networks"}},
		{"Cinder", openstack.NewBlockStorageV3, map[string]string{"volumes?all_tenants=1": "volumes", "snapshots?all_tenants=1": "snapshots"}},
		{"Swift", openstack.NewObjectStorageV1, map[string]string{"?format=json": ""}},
	} {
		client, err := service.make(b.client, b.at)
		require.NoError(b.t, err)
		for path, key := range service.lists {
			for _, id := range b.list(client, path, key) {
				found = append(found, service.kind+" "+path+" "+id)
			}
		}
	}
	slices.Sort(found)
	return found
}

func (b *lab) list(client *gophercloud.ServiceClient, path, key string) []string {
	b.t.Helper()
	var items []map[string]any
	var body any = &items
	wrapped := map[string]any{}
	if key != "" {
		body = &wrapped
	}
	_, err := client.Get(context.WithoutCancel(b.t.Context()), client.ServiceURL(path), body, &gophercloud.RequestOpts{OkCodes: []int{http.StatusOK, http.StatusNoContent}}) //nolint:bodyclose // closed by gophercloud
	require.NoError(b.t, err, path)
	if key != "" {
		list, ok := wrapped[key].([]any)
		require.True(b.t, ok, "%s has no %s", path, key)
		for _, item := range list {
			items = append(items, item.(map[string]any))
		}
	}
	var ids []string
	for _, item := range items {
		for _, name := range []string{"id", "uuid", "name"} {
			if id, ok := item[name].(string); ok {
				ids = append(ids, id)
				break
			}
		}
	}
	return ids
}

// TestOpenStack is the shortest way: a database in a server of Nova's, on a volume of Cinder's, at an address of
// Neutron's, and nothing left of it.
func TestOpenStack(t *testing.T) {
	b := openLab(t)
	before := b.inventory()
	s := newSiteOn(t, mariadb, b.serve())
	testRestart(s)
	s.whole()
	s.user.awaitSuccess(s.user.delete(s.id))
	assert.Equal(t, before, b.inventory())
}

// TestOpenStackWhateverIsDoneToAnInstanceItsDataStay does what the local provider is put through.
func TestOpenStackWhateverIsDoneToAnInstanceItsDataStay(t *testing.T) {
	onLab(t, func(t *testing.T, b *lab, d datastore) {
		s := newSiteOn(t, d, b.serve())
		s.goThrough(everywhere)
		s.goThrough([]part{
			{"rebuild", testRebuildOnOpenStack},
			{"resize flavor", testResizeFlavor},
			{"resize volume", testResizeVolumeOnOpenStack},
			{"access", testAccess},
			{"migrate", testMigrate},
			{"reset task status", testResetTaskStatus},
			{"what is only tried", testDryRuns},
		})
		s.user.awaitSuccess(s.user.delete(s.id))
	})
}

// testRebuildOnOpenStack rebuilds from the image that the server has: its disk is made anew, its agent enrols again.
func testRebuildOnOpenStack(s *site) {
	s.startsAnew(func() { s.managed(map[string]any{"rebuild": map[string]any{"image_id": s.newestImage()}}) })
}

// newestImage is the id of the newest image for namespaces.
func (s *site) newestImage() string {
	s.t.Helper()
	pages, err := images.List(openLab(s.t).glance(), images.ListOpts{Tags: []string{"coffer"}, Sort: "created_at:desc"}).AllPages(s.t.Context())
	require.NoError(s.t, err)
	found, err := images.ExtractImages(pages)
	require.NoError(s.t, err)
	i := slices.IndexFunc(found, func(i images.Image) bool { return strings.HasPrefix(i.Name, machineImage+"-") })
	require.GreaterOrEqual(s.t, i, 0)
	return found[i].ID
}

// testMigrate moves the server: the bed has one host for namespaces, to which Nova moves it again.
func testMigrate(s *site) {
	s.startsAnew(func() { s.managed(map[string]any{"migrate": nil}) })
}

// testResizeVolumeOnOpenStack does not ask whether the database was touched: this host's kernel may grow nothing in use.
func testResizeVolumeOnOpenStack(s *site) {
	s.refuses(growTo(1), http.StatusBadRequest, "must be larger than the current volume size of '1'")
	s.user.awaitSuccess(s.act(growTo("2")))
	shown := s.user.show(s.id)
	assert.Equal(s.t, 2, shown.Volume.Size)
	s.refuses(growTo(2), http.StatusBadRequest, "must be larger than the current volume size of '2'")
}

// testAccess makes the instance public, to some, and private again.
func testAccess(s *site) {
	for _, public := range []bool{true, false} {
		got := s.user.call(http.MethodPut, "/instances/"+s.id, map[string]any{"instance": map[string]any{
			"access": map[string]any{"is_public": public, "allowed_cidrs": []string{"10.0.0.0/8"}},
		}})
		require.Equal(s.t, http.StatusAccepted, got.code, string(got.body))
		s.user.awaitSuccess(taskOf(s.t, got))
		var types []string
		for _, address := range s.user.show(s.id).Addresses {
			types = append(types, address.Type)
		}
		assert.Equal(s.t, public, slices.Contains(types, "public"), "%v", types)
		assert.Contains(s.t, types, "private")
	}
}

// TestOpenStackEjection lets a source hang under a ledger: its server is fenced by Neutron and Nova before another one is
// elected.
func TestOpenStackEjection(t *testing.T) {
	onLab(t, func(t *testing.T, b *lab, d datastore) {
		testEjection(t, d, b.starter(), machine.hang, machine.wake)
	})
}

// TestOpenStackSet makes a replica beside a source that is written to, promotes it, and restarts and deletes both at once.
func TestOpenStackSet(t *testing.T) {
	onLab(t, func(t *testing.T, b *lab, d datastore) {
		s := b.serve()
		user := s.signIn("coffer")
		set := user.withReplicas(d, 1)
		source, replica := set[0], set[1]
		s.machine(source).remember("before")
		s.machine(replica).awaitRemembered("before")

		user.promote(replica.ID)
		user.assertSet(replica.ID, source.ID)
		s.machine(replica).remember("after")
		s.machine(source).awaitRemembered("after", "before")

		both := []string{replica.ID, source.ID}
		user.assertBatch(map[string]any{"action": "restart", "instances": both}, both)
		s.machine(replica).remember("restarted")
		s.machine(source).awaitRemembered("after", "before", "restarted")
		user.assertBatch(map[string]any{"action": "delete", "instances": both}, both)
	})
}
