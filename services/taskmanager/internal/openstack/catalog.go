package openstack

import (
	"cmp"
	"context"
	"slices"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumetypes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/availabilityzones"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// Name is what the provider is called.
const Name = "openstack"

// Catalog is what the cloud offers the service user now: its flavors, volume types and zones, the networks that all
// tenants share, and the engines in the images that have Coffer's tag.
func (p *Provider) Catalog(ctx context.Context) (*journalv1.RegisterProviderRequest, error) {
	catalog := &journalv1.RegisterProviderRequest{
		Provider: Name, Region: p.region,
		Capabilities: &journalv1.ProviderCapabilities{
			PublicAddresses: p.public != nil, AccessRules: true, FixedAddresses: true, AntiAffinity: true, Migration: true,
			Images: true, TenantNetworks: true,
		},
	}
	for _, read := range []func(context.Context, *journalv1.RegisterProviderRequest) error{
		p.readDatastores, p.readFlavors, p.readVolumeTypes, p.readNetworks, p.readZones,
	} {
		if err := read(ctx, catalog); err != nil {
			return nil, err
		}
	}
	return catalog, nil
}

// readDatastores offers each exact version once, and of a series the newest, whose name the series is.
func (p *Provider) readDatastores(ctx context.Context, catalog *journalv1.RegisterProviderRequest) error {
	found, err := p.guestImages(ctx)
	if err != nil {
		return err
	}
	for _, kind := range dbserver.Kinds {
		newest := map[string]string{}
		for _, image := range found {
			version := versionIn(image, kind.Manager)
			if version == "" {
				continue
			}
			series := dbserver.Series(version)
			if newest[series] == "" || dbserver.CompareVersions(version, newest[series]) > 0 {
				newest[series] = version
			}
		}
		for series, version := range newest {
			catalog.DatastoreVersions = append(catalog.DatastoreVersions, &journalv1.CatalogDatastoreVersion{
				Manager: kind.Manager, Name: series, Version: version,
			})
		}
	}
	slices.SortFunc(catalog.GetDatastoreVersions(), func(a, b *journalv1.CatalogDatastoreVersion) int {
		return cmp.Or(cmp.Compare(a.GetManager(), b.GetManager()), dbserver.CompareVersions(a.GetVersion(), b.GetVersion()))
	})
	catalog.DefaultDatastore = p.cfg.DefaultDatastore
	if offered := catalog.GetDatastoreVersions(); catalog.GetDefaultDatastore() == "" && len(offered) > 0 {
		catalog.DefaultDatastore = offered[0].GetManager()
	}
	return nil
}

func (p *Provider) readFlavors(ctx context.Context, catalog *journalv1.RegisterProviderRequest) error {
	found, err := cloud.All(ctx, flavors.ListDetail(p.compute, flavors.ListOpts{SortKey: "memory_mb"}), flavors.ExtractFlavors)
	if err != nil {
		return fault(nova, "list flavors", err)
	}
	for _, f := range found {
		catalog.Flavors = append(catalog.Flavors, &journalv1.CatalogFlavor{
			Id: f.ID, Name: f.Name, Ram: int32(f.RAM), Vcpus: int32(f.VCPUs), Disk: int32(f.Disk), //nolint:gosec // small numbers
		})
	}
	return nil
}

func (p *Provider) readVolumeTypes(ctx context.Context, catalog *journalv1.RegisterProviderRequest) error {
	found, err := cloud.All(ctx, volumetypes.List(p.volume, volumetypes.ListOpts{}), volumetypes.ExtractVolumeTypes)
	if err != nil {
		return fault(cinder, "list volume types", err)
	}
	for _, t := range found {
		// Cinder's own, of which no volume can be made.
		if t.Name == "__DEFAULT__" {
			continue
		}
		catalog.VolumeTypes = append(catalog.VolumeTypes, &journalv1.CatalogVolumeType{Id: t.ID, Name: t.Name, Description: t.Description})
	}
	return nil
}

func (p *Provider) readNetworks(ctx context.Context, catalog *journalv1.RegisterProviderRequest) error {
	shared := true
	found, err := cloud.All(ctx, networks.List(p.network, networks.ListOpts{Shared: &shared}), networks.ExtractNetworks)
	if err != nil {
		return fault(neutron, "list networks", err)
	}
	if p.fallback != nil {
		found = append([]networks.Network{*p.fallback}, found...)
	}
	told := map[string]bool{p.management.ID: true}
	for _, network := range found {
		if told[network.ID] {
			continue
		}
		told[network.ID] = true
		catalog.Networks = append(catalog.Networks, &journalv1.CatalogNetwork{Id: network.ID, SubnetIds: network.Subnets})
	}
	return nil
}

func (p *Provider) readZones(ctx context.Context, catalog *journalv1.RegisterProviderRequest) error {
	found, err := cloud.All(ctx, availabilityzones.List(p.compute), availabilityzones.ExtractAvailabilityZones)
	if err != nil {
		return fault(nova, "list availability zones", err)
	}
	for _, zone := range found {
		if zone.ZoneState.Available {
			catalog.AvailabilityZones = append(catalog.AvailabilityZones, zone.ZoneName)
		}
	}
	return nil
}
