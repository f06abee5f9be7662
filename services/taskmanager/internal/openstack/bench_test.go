package openstack

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/security/groups"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/security/rules"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// BenchmarkCreateAndDelete makes and removes what an instance needs, by the provider and, in turn, by hand: the same
// resources with as few calls of gophercloud's as will do, waited for by the same rule. It tells the ratio of the medians: a
// wait is over at one poll or at the next, as luck has it.
func BenchmarkCreateAndDelete(b *testing.B) {
	needBed(b)
	cfg := bedConfig(b)
	p, err := Open(b.Context(), cfg, nil, slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	version, err := p.guestImages(b.Context())
	require.NoError(b, err)
	require.NotEmpty(b, version, "run the tests first: they make the image")
	image := version[0]
	var byHand, byProvider []time.Duration
	for b.Loop() {
		began := time.Now()
		makeByHand(b, p, image.ID)
		byHand = append(byHand, time.Since(began))
		began = time.Now()
		makeByProvider(b, p, versionIn(image, "mariadb"))
		byProvider = append(byProvider, time.Since(began))
	}
	b.ReportMetric(median(byHand).Seconds(), "s/by-hand")
	b.ReportMetric(median(byProvider).Seconds(), "s/provider")
	b.ReportMetric(median(byProvider).Seconds()/median(byHand).Seconds(), "ratio")
}

func median(durations []time.Duration) time.Duration {
	slices.Sort(durations)
	return durations[len(durations)/2]
}

func makeByProvider(b *testing.B, p *Provider, version string) {
	ctx, id := b.Context(), uuid.NewString()
	address, err := p.AllocateAddress(ctx, step.AddressSpec{InstanceID: id})
	require.NoError(b, err)
	_, err = p.UpdateAccess(ctx, id, step.Access{Manager: "mariadb"})
	require.NoError(b, err)
	volume, err := p.CreateVolume(ctx, step.VolumeSpec{InstanceID: id, Size: 1})
	require.NoError(b, err)
	_, err = p.CreateServer(ctx, step.ServerSpec{
		InstanceID: id, Name: "a server", Address: address, Volume: volume, Flavor: step.Flavor{ID: "1"},
		Bootstrap: step.Bootstrap{CAPEM: []byte("ca"), CertificatePEM: []byte("certificate"), KeyPEM: []byte("key")},
		Manager:   "mariadb", Version: version,
	})
	require.NoError(b, err)
	require.NoError(b, p.DeleteServer(ctx, id))
	require.NoError(b, p.DeleteVolume(ctx, id))
	require.NoError(b, p.ReleaseAddress(ctx, id))
}

func makeByHand(b *testing.B, p *Provider, image string) {
	ctx, name := b.Context(), p.mark(uuid.NewString())
	group, err := groups.Create(ctx, p.network, groups.CreateOpts{Name: name}).Extract()
	require.NoError(b, err)
	for _, from := range []string{"10.0.0.0/8", "192.168.0.0/16"} {
		_, err = rules.Create(ctx, p.network, rules.CreateOpts{
			SecGroupID: group.ID, Direction: rules.DirIngress, EtherType: rules.EtherType4, Protocol: rules.ProtocolTCP,
			PortRangeMin: 3306, PortRangeMax: 3306, RemoteIPPrefix: from,
		}).Extract()
		require.NoError(b, err)
	}
	var plugged []servers.Network
	for _, network := range []string{p.fallback.ID, p.management.ID} {
		port, err := ports.Create(ctx, p.network, ports.CreateOpts{Name: name, NetworkID: network, SecurityGroups: &[]string{group.ID}}).Extract()
		require.NoError(b, err)
		plugged = append(plugged, servers.Network{Port: port.ID})
	}
	volume, err := volumes.Create(ctx, p.volume, volumes.CreateOpts{Name: name, Size: 1}, nil).Extract()
	require.NoError(b, err)
	_, err = p.awaitVolume(ctx, volume, "create a volume", cinderAvailable)
	require.NoError(b, err)
	server, err := servers.Create(ctx, p.compute, servers.CreateOpts{
		Name: name, ImageRef: image, FlavorRef: "1", AvailabilityZone: p.cfg.AvailabilityZone, Networks: plugged,
		BlockDevice: []servers.BlockDevice{
			{SourceType: servers.SourceImage, DestinationType: servers.DestinationLocal, UUID: image, DeleteOnTermination: true},
			{SourceType: servers.SourceVolume, DestinationType: servers.DestinationVolume, UUID: volume.ID, BootIndex: -1},
		},
	}, servers.SchedulerHintOpts{}).Extract()
	require.NoError(b, err)
	_, err = p.awaitServer(ctx, server.ID, "create a server", novaActive)
	require.NoError(b, err)
	unmakeByHand(ctx, b, p, server.ID, volume, plugged, group.ID)
}

func unmakeByHand(
	ctx context.Context, b *testing.B, p *Provider, server string, volume *volumes.Volume, plugged []servers.Network, group string,
) {
	require.NoError(b, servers.Delete(ctx, p.compute, server).ExtractErr())
	require.NoError(b, p.awaitGone(ctx, server))
	volume.Status, volume.Attachments = cinderAvailable, nil
	require.NoError(b, p.deleteVolume(ctx, volume))
	for _, port := range plugged {
		require.NoError(b, ports.Delete(ctx, p.network, port.Port).ExtractErr())
	}
	require.NoError(b, groups.Delete(ctx, p.network, group).ExtractErr())
}
