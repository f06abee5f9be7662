package catalog

import (
	"cmp"
	"slices"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Catalog is what a provider offers. It never changes; a new registration makes a new one.
type Catalog struct {
	// Provider is what the provider said of itself.
	Provider *journalv1.RegisterProviderRequest
	// Datastores are in the order of their names.
	Datastores []Datastore

	versions map[string]store.DatastoreVersion
	flavors  map[string]*journalv1.CatalogFlavor
}

// Datastore is a database engine with its versions.
type Datastore struct {
	ID   string
	Name string
	// Versions are all, inactive ones included, in the order of their names.
	Versions []store.DatastoreVersion
	// DefaultVersion is the id of the version that is meant when none is named; empty when none is.
	DefaultVersion string
}

// Active says whether any version can be created.
func (d Datastore) Active() bool {
	return slices.ContainsFunc(d.Versions, func(v store.DatastoreVersion) bool { return v.Active })
}

// New arranges what the store keeps.
func New(stored store.Catalog) *Catalog {
	c := &Catalog{
		Provider: stored.Provider,
		versions: make(map[string]store.DatastoreVersion, len(stored.DatastoreVersions)),
		flavors:  make(map[string]*journalv1.CatalogFlavor, len(stored.Provider.GetFlavors())),
	}
	for _, flavor := range stored.Provider.GetFlavors() {
		c.flavors[flavor.GetId()] = flavor
	}
	byDatastore := map[string]*Datastore{}
	for _, version := range stored.DatastoreVersions {
		c.versions[version.ID] = version
		datastore := byDatastore[version.DatastoreID]
		if datastore == nil {
			datastore = &Datastore{ID: version.DatastoreID, Name: version.DatastoreName}
			byDatastore[version.DatastoreID] = datastore
		}
		datastore.Versions = append(datastore.Versions, version)
		if version.Default && version.Active {
			datastore.DefaultVersion = version.ID
		}
	}
	for _, datastore := range byDatastore {
		slices.SortFunc(datastore.Versions, func(a, b store.DatastoreVersion) int { return dbserver.CompareVersions(a.Name, b.Name) })
		c.Datastores = append(c.Datastores, *datastore)
	}
	slices.SortFunc(c.Datastores, func(a, b Datastore) int { return cmp.Compare(a.Name, b.Name) })
	return c
}

// Version finds a datastore version by its id.
func (c *Catalog) Version(id string) (store.DatastoreVersion, bool) {
	version, found := c.versions[id]
	return version, found
}

// Datastore finds a datastore by its id or name.
func (c *Catalog) Datastore(idOrName string) (Datastore, bool) {
	for _, datastore := range c.Datastores {
		if datastore.ID == idOrName || datastore.Name == idOrName {
			return datastore, true
		}
	}
	return Datastore{}, false
}

// DefaultDatastore is the one that is meant when none is named.
func (c *Catalog) DefaultDatastore() (Datastore, bool) {
	return c.Datastore(c.Provider.GetDefaultDatastore())
}

// Flavor finds a flavor by its id.
func (c *Catalog) Flavor(id string) (*journalv1.CatalogFlavor, bool) {
	flavor, found := c.flavors[id]
	return flavor, found
}

// Network finds a network by its id.
func (c *Catalog) Network(id string) (*journalv1.CatalogNetwork, bool) {
	for _, network := range c.Provider.GetNetworks() {
		if network.GetId() == id {
			return network, true
		}
	}
	return nil, false
}
