package gormstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// catalogNamespace makes the ids of datastores and versions from their names, so that separate databases agree.
var catalogNamespace = uuid.MustParse("6f0f2c51-3d0e-5c1a-9b57-0d6b8a7f4c21")

const providerID = 1

// SaveCatalog replaces the catalogue.
func (s *Store) SaveCatalog(ctx context.Context, c store.Catalog) (store.Catalog, error) {
	registration, err := proto.Marshal(c.Provider)
	if err != nil {
		return store.Catalog{}, fmt.Errorf("write the provider's registration: %w", err)
	}
	datastores, versions := offered(c.Provider.GetDatastoreVersions())
	err = s.writer.write(ctx, "save the catalogue", func(u *unit) error {
		return u.saveCatalog(datastores, versions, registration)
	})
	if err != nil {
		return store.Catalog{}, err
	}
	return s.Catalog(ctx)
}

func (u *unit) saveCatalog(datastores []datastoreRow, versions []datastoreVersionRow, registration []byte) error {
	upsert := clause.OnConflict{UpdateAll: true}
	// First, because its lock keeps two registrations apart.
	err := u.db.Clauses(upsert).Create(&providerRow{ID: providerID, Registration: registration}).Error
	if err != nil {
		return err
	}
	err = u.db.Model(&datastoreVersionRow{}).Where("1 = 1").
		Updates(map[string]any{"active": false, "is_default": false}).Error
	if err != nil {
		return err
	}
	for i := range datastores {
		if err := u.db.Clauses(upsert).Create(&datastores[i]).Error; err != nil {
			return err
		}
	}
	for i := range versions {
		if err := u.db.Clauses(upsert).Create(&versions[i]).Error; err != nil {
			return err
		}
	}
	return nil
}

// offered are the rows of what a provider offers; a datastore's default is its highest version.
func offered(list []*journalv1.CatalogDatastoreVersion) ([]datastoreRow, []datastoreVersionRow) {
	var datastores []datastoreRow
	var versions []datastoreVersionRow
	defaults := map[string]int{}
	for _, v := range list {
		id := nameID(v.GetManager())
		highest, known := defaults[id]
		if !known {
			datastores = append(datastores, datastoreRow{ID: id, Name: v.GetManager()})
		}
		if !known || dbserver.CompareVersions(versions[highest].Version, v.GetVersion()) < 0 {
			defaults[id] = len(versions)
		}
		versions = append(versions, datastoreVersionRow{
			ID: nameID(v.GetManager() + "/" + v.GetName()), DatastoreID: id, Manager: v.GetManager(),
			Name: v.GetName(), Version: v.GetVersion(), Active: true,
		})
	}
	for _, i := range defaults {
		versions[i].IsDefault = true
	}
	return datastores, versions
}

func nameID(name string) string { return uuid.NewSHA1(catalogNamespace, []byte(name)).String() }

// Catalog is what the provider offers, as it was last registered, with the versions that once were offered.
func (s *Store) Catalog(ctx context.Context) (store.Catalog, error) {
	db := s.reading(ctx)
	var provider providerRow
	err := db.Where("id = ?", providerID).Take(&provider).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return store.Catalog{}, store.ErrNotFound
	}
	if err != nil {
		return store.Catalog{}, translate("read the catalogue", err)
	}
	catalog := store.Catalog{Provider: &journalv1.RegisterProviderRequest{}}
	if err := proto.Unmarshal(provider.Registration, catalog.Provider); err != nil {
		return store.Catalog{}, fmt.Errorf("read the provider's registration: %w", err)
	}
	catalog.DatastoreVersions, err = datastoreVersions(db)
	return catalog, translate("read the catalogue", err)
}

// datastoreVersions are sorted by datastore and name.
func datastoreVersions(db *gorm.DB) ([]store.DatastoreVersion, error) {
	var datastores []datastoreRow
	if err := db.Find(&datastores).Error; err != nil {
		return nil, err
	}
	names := make(map[string]string, len(datastores))
	for _, row := range datastores {
		names[row.ID] = row.Name
	}
	var rows []datastoreVersionRow
	if err := db.Find(&rows).Error; err != nil {
		return nil, err
	}
	versions := make([]store.DatastoreVersion, 0, len(rows))
	for _, row := range rows {
		versions = append(versions, store.DatastoreVersion{
			ID: row.ID, DatastoreID: row.DatastoreID, DatastoreName: names[row.DatastoreID], Manager: row.Manager,
			Name: row.Name, Version: row.Version, Active: row.Active, Default: row.IsDefault,
		})
	}
	slices.SortFunc(versions, func(a, b store.DatastoreVersion) int {
		return cmp.Or(cmp.Compare(a.DatastoreName, b.DatastoreName), dbserver.CompareVersions(a.Name, b.Name))
	})
	return versions, nil
}
