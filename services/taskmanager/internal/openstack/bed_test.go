package openstack

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/instanceactions"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servergroups"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/imagedata"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/layer3/floatingips"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/security/groups"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"
	"github.com/stretchr/testify/require"

	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/providertest"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// limit bounds whatever a test waits for.
const limit = 5 * time.Minute

// needBed skips a test where no OpenStack runs.
func needBed(t testing.TB) {
	t.Helper()
	if os.Getenv("COFFER_TEST_OPENSTACK") == "" {
		t.Skip("needs a running OpenStack: make openstack-up, then make test-openstack")
	}
}

// bedConfig is of the test bed, under a deployment of the test's own.
func bedConfig(t testing.TB) Config {
	t.Helper()
	clouds, err := filepath.Abs("../../../../deploy/openstack/clouds.yaml")
	require.NoError(t, err)
	cfg := DefaultConfig()
	cfg.Cloud, cfg.CloudsFile = "bed-coffer", clouds
	cfg.Deployment = "t" + strings.ReplaceAll(uuid.NewString(), "-", "")[:12]
	cfg.ManagementNetwork, cfg.DefaultNetwork, cfg.PublicNetwork = "trove-mgmt", "private", "public"
	// Servers of the zone fake are the lab driver's.
	cfg.AvailabilityZone, cfg.WatchInterval = "fake", time.Second
	return cfg
}

// bed is the test bed as the shared suite wants it: empty, for all that has the test's deployment is the test's.
type bed struct {
	cfg    Config
	around func(http.RoundTripper) http.RoundTripper
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{cfg: bedConfig(t)}
	b.needImage(t)
	t.Cleanup(func() { b.clean(t) })
	return b
}

func (b *bed) open(t *testing.T) *Provider {
	t.Helper()
	p, err := Open(t.Context(), b.cfg, b.around, slog.New(slog.NewTextHandler(t.Output(), nil)))
	require.NoError(t, err)
	return p
}

// Open opens one more provider.
func (b *bed) Open(t *testing.T) step.Provider { t.Helper(); return b.open(t) }

// Manager is of the image of needImage.
func (b *bed) Manager() string { return "mariadb" }

// Version is of the image of needImage.
func (b *bed) Version() string { return "10.11.14" }

// TakeDown shuts the server down, and Nova sees it.
func (b *bed) TakeDown(t *testing.T, instanceID string) {
	t.Helper()
	p := b.open(t)
	server, err := p.server(t.Context(), instanceID)
	require.NoError(t, err)
	require.NoError(t, p.stop(t.Context(), server))
}

// Inventory is all that has the deployment's name, and what was ever done to its servers.
func (b *bed) Inventory(t *testing.T) []string {
	t.Helper()
	return b.inventory(t.Context(), t)
}

func (b *bed) inventory(ctx context.Context, t *testing.T) []string {
	t.Helper()
	p, err := Open(ctx, b.cfg, nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	var found []string
	add := func(kind, name string, more ...any) {
		if strings.HasPrefix(name, b.cfg.Deployment) {
			found = append(found, fmt.Sprint(append([]any{kind, " ", name}, more...)...))
		}
	}
	machines, err := p.changedServers(ctx, time.Time{})
	require.NoError(t, err)
	for _, s := range machines {
		actions, err := cloud.All(ctx, instanceactions.List(p.compute, s.ID, nil), instanceactions.ExtractInstanceActions)
		require.NoError(t, err)
		add("server", p.mark(s.Metadata[keyInstance]), s.ID, s.Status)
		for _, a := range actions {
			add("action on", p.mark(s.Metadata[keyInstance]), a.Action, a.RequestID)
		}
	}
	disks, err := cloud.All(ctx, volumes.List(p.volume, volumes.ListOpts{}), volumes.ExtractVolumes)
	require.NoError(t, err)
	for _, v := range disks {
		add("volume", v.Name, v.ID, v.Status, v.Size)
	}
	plugs, err := cloud.All(ctx, ports.List(p.network, ports.ListOpts{ProjectID: p.project}), ports.ExtractPorts)
	require.NoError(t, err)
	for _, port := range plugs {
		add("port", port.Name, port.ID, port.AdminStateUp, port.DeviceID)
	}
	walls, err := cloud.All(ctx, groups.List(p.network, groups.ListOpts{ProjectID: p.project}), groups.ExtractGroups)
	require.NoError(t, err)
	for _, g := range walls {
		add("security group", g.Name, g.ID, len(g.Rules))
	}
	floating, err := cloud.All(ctx, floatingips.List(p.network, floatingips.ListOpts{ProjectID: p.project}), floatingips.ExtractFloatingIPs)
	require.NoError(t, err)
	for _, f := range floating {
		add("floating IP", f.Description, f.ID)
	}
	sets, err := cloud.All(ctx, servergroups.List(p.compute, nil), servergroups.ExtractServerGroups)
	require.NoError(t, err)
	for _, g := range sets {
		add("server group", g.Name, g.ID, len(g.Members))
	}
	slices.Sort(found)
	return found
}

// clean removes what a failed test has left.
func (b *bed) clean(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	p, err := Open(ctx, b.cfg, nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ids := map[string]bool{}
	for _, line := range b.inventory(ctx, t) {
		for word := range strings.FieldsSeq(line) {
			if id := p.markOf(word); id != "" {
				ids[id] = true
			}
		}
	}
	for id := range ids {
		require.NoError(t, p.DeleteServer(ctx, id))
		require.NoError(t, p.DeleteVolume(ctx, id))
		require.NoError(t, p.ReleaseAddress(ctx, id))
	}
}

// needImage makes the image from which the fake compute driver "builds", if it is not there yet.
func (b *bed) needImage(t *testing.T) {
	t.Helper()
	p := b.open(t)
	if _, err := p.imageFor(t.Context(), b.Manager(), b.Version(), ""); err == nil {
		return
	}
	visibility := images.ImageVisibilityPublic
	made, err := images.Create(t.Context(), p.image, images.CreateOpts{
		Name: "coffer-fake", Tags: []string{cloud.ImageTag}, DiskFormat: "raw", ContainerFormat: "bare", Visibility: &visibility,
		Properties: map[string]string{cloud.EngineProperty("mariadb"): "10.11.14", cloud.EngineProperty("postgresql"): "15.18"},
	}).Extract()
	require.NoError(t, err)
	require.NoError(t, imagedata.Upload(t.Context(), p.image, made.ID, strings.NewReader(strings.Repeat("\x00", 1<<16))).ExtractErr())
}

func TestTheOpenStackProviderDoesWhatEveryProviderMust(t *testing.T) {
	needBed(t)
	providertest.Run(t, func(t *testing.T) providertest.Cloud {
		// They mostly wait, each for what is its own.
		t.Parallel()
		return newBed(t)
	})
}
