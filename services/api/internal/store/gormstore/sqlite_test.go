package gormstore_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/gormstore"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/storetest"
)

func TestSQLiteKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store {
		return openSQLite(t, gormstore.WithClock(now))
	})
}

func openSQLite(t testing.TB, options ...gormstore.Option) *gormstore.Store {
	t.Helper()
	cfg := gormstore.Config{Driver: gormstore.DriverSQLite, DSN: filepath.Join(t.TempDir(), "coffer.db")}
	require.NoError(t, gormstore.Migrate(t.Context(), cfg))
	s, err := gormstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler), options...)
	require.NoError(t, err)
	return s
}
