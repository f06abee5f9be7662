package local

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// Catalog describes what this host offers: the database servers that are installed now, the configured flavors, one
// volume type, one network, one zone.
func (p *Provider) Catalog(ctx context.Context) (*journalv1.RegisterProviderRequest, error) {
	found, err := p.offers.look(ctx)
	if err != nil {
		p.log.Warn("a database server on this host cannot be used", "error", err)
	}
	own := p.folder.identity
	catalog := &journalv1.RegisterProviderRequest{
		Provider: "local",
		Region:   p.cfg.Region,
		VolumeTypes: []*journalv1.CatalogVolumeType{
			{Id: own.VolumeTypeID, Name: volumeType, Description: p.volumeDescription()},
		},
		Networks:          []*journalv1.CatalogNetwork{{Id: own.NetworkID, SubnetIds: []string{own.SubnetID}}},
		AvailabilityZones: []string{zone},
		Capabilities:      &journalv1.ProviderCapabilities{},
	}
	for _, o := range found {
		catalog.DatastoreVersions = append(catalog.DatastoreVersions, &journalv1.CatalogDatastoreVersion{
			Manager: o.manager, Name: dbserver.Series(o.version), Version: o.version,
		})
	}
	if len(found) > 0 {
		catalog.DefaultDatastore = found[0].manager
	}
	for _, f := range p.cfg.Flavors {
		catalog.Flavors = append(catalog.Flavors, &journalv1.CatalogFlavor{
			Id: f.ID, Name: f.Name, Ram: int32(f.RAM), Vcpus: int32(f.VCPUs), //nolint:gosec // small numbers
		})
	}
	return catalog, nil
}

func (p *Provider) volumeDescription() string {
	if p.mounts {
		return "a file system of its own on this host"
	}
	return "a folder on this host"
}
