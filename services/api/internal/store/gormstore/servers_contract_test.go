package gormstore_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/gormstore"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/storetest"
)

func TestPostgresKeepsTheContract(t *testing.T) {
	storetest.Run(t, emptied(postgres(t)))
}

func TestMariaDBKeepsTheContract(t *testing.T) {
	storetest.Run(t, emptied(mariadb(t)))
}

func emptied(cfg gormstore.Config) storetest.Open {
	return func(t *testing.T, now func() time.Time) store.Store {
		empty(t, cfg)
		s, err := gormstore.Open(t.Context(), cfg, slog.New(slog.DiscardHandler), gormstore.WithClock(now))
		require.NoError(t, err)
		return s
	}
}
