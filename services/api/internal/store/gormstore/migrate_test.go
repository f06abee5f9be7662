package gormstore_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api/internal/store/gormstore"
)

func TestTheMigratedSchemaIsThatOfTheModels(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		cfg := gormstore.Config{Driver: gormstore.DriverSQLite, DSN: filepath.Join(t.TempDir(), "coffer.db")}
		require.NoError(t, gormstore.Migrate(t.Context(), cfg))
		gormstore.AssertSchema(t, cfg)
	})
	t.Run("postgres", func(t *testing.T) { gormstore.AssertSchema(t, postgres(t)) })
	t.Run("mariadb", func(t *testing.T) { gormstore.AssertSchema(t, mariadb(t)) })
}

func TestMigratingAgainChangesNothing(t *testing.T) {
	for _, cfg := range []gormstore.Config{postgres(t), mariadb(t)} {
		require.NoError(t, gormstore.Migrate(t.Context(), cfg))
	}
}

func TestADatabaseThatWasNotMigratedIsRefused(t *testing.T) {
	cfg := gormstore.Config{Driver: gormstore.DriverSQLite, DSN: filepath.Join(t.TempDir(), "coffer.db")}
	_, err := gormstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "migrate up")
}

func TestAllFaultsOfAConfigurationAreNamed(t *testing.T) {
	err := gormstore.Config{Driver: "oracle", MaxConnections: -1}.Validate()
	for _, fault := range []string{"oracle", "dsn", "max_connections"} {
		require.ErrorContains(t, err, fault)
	}
	require.NoError(t, gormstore.Config{Driver: "sqlite", DSN: "x"}.Validate())
}

func TestAnUnusableDSNIsNamedWithoutShowingIt(t *testing.T) {
	for _, driver := range []string{gormstore.DriverPostgres, gormstore.DriverMySQL} {
		err := gormstore.Migrate(t.Context(), gormstore.Config{Driver: driver, DSN: "user:hunter2@nowhere:x:y/%%"})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}
