package gormstore_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/policy"
	"github.com/coffer-dbaas/coffer/services/api/internal/server"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/gormstore"
)

// crowd is how many instances the lists show; a quarter of them are replicas.
const crowd = 1000

func TestAPageOfInstancesIsAConstantNumberOfQueries(t *testing.T) {
	for name, cfg := range map[string]gormstore.Config{
		"sqlite":   {Driver: gormstore.DriverSQLite, DSN: filepath.Join(t.TempDir(), "coffer.db")},
		"postgres": another(t, postgres(t)),
		"mariadb":  another(t, mariadb(t)),
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, gormstore.Migrate(t.Context(), cfg))
			s, err := gormstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			defer func() { require.NoError(t, s.Close()) }()
			fillCrowd(t, s)
			lists := listsOver(t, s)
			queries := gormstore.CountQueries(t, s)
			// The first page finds out who follows whom, which is remembered where nobody else writes.
			for name, list := range lists {
				for _, limit := range []string{"20", "100", "1000"} {
					seen, marker := 0, ""
					for more := true; more; more = marker != "" {
						before := queries.Load()
						var shown int
						shown, marker = list(limit, marker)
						seen += shown
						made := queries.Load() - before
						assert.Contains(t, []int64{1, 2}, made, "%s by %s: rows, and who follows whom", name, limit)
					}
					assert.Equal(t, crowd, seen, "%s by %s", name, limit)
				}
			}
		})
	}
}

// listsOver are the api's lists, each of which answers how many it showed and the next marker.
func listsOver(t *testing.T, s store.Store) map[string]func(limit, marker string) (int, string) {
	t.Helper()
	offered := catalog.NewCache(s)
	require.NoError(t, offered.Save(t.Context(), &journalv1.RegisterProviderRequest{Provider: "local", Region: "RegionOne"}))
	_, err := offered.Get(t.Context())
	require.NoError(t, err)
	api := server.New(server.Parts{
		Store: s, Catalog: offered, Policy: policy.Default(), Now: time.Now, Settings: server.Settings{InstancesPage: crowd},
	})
	ctx := identity.NewContext(context.WithoutCancel(t.Context()), identity.Caller{ProjectID: "crowd", Roles: []string{"admin"}})
	return map[string]func(string, string) (int, string){
		"list": func(limit, marker string) (int, string) {
			page, err := api.ListInstances(ctx, &instancev1.ListInstancesRequest{Limit: limit, Marker: marker})
			require.NoError(t, err)
			return len(page.GetInstances()), page.GetNextMarker()
		},
		"detail": func(limit, marker string) (int, string) {
			page, err := api.ListInstanceDetails(ctx, &instancev1.ListInstanceDetailsRequest{Limit: limit, Marker: marker})
			require.NoError(t, err)
			return len(page.GetInstances()), page.GetNextMarker()
		},
		"management": func(limit, marker string) (int, string) {
			page, err := api.ListManagedInstances(ctx, &mgmtv1.ListManagedInstancesRequest{Limit: limit, Marker: marker})
			require.NoError(t, err)
			return len(page.GetInstances()), page.GetNextMarker()
		},
	}
}

func fillCrowd(t *testing.T, s store.Store) {
	t.Helper()
	const together = 100
	for range crowd / together {
		var batch store.Batch
		for i := range together {
			id := uuid.NewString()
			one := store.Acceptance{
				InstanceID: id, New: &store.Instance{ID: id, ProjectID: "crowd", Name: "one of many", FlavorID: "1"},
				Command: &commandv1.Command{TaskId: uuid.NewString(), InstanceId: id},
			}
			one.Action, _ = action.Lookup(action.CreateInstance)
			if i%4 == 3 {
				one.New.ReplicaOf = batch.List[i-1].InstanceID
			}
			batch.List = append(batch.List, one)
		}
		_, err := s.AcceptAll(t.Context(), batch)
		require.NoError(t, err)
	}
}
