package gormstore

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// CountQueries counts the store's reads from now on.
func CountQueries(t *testing.T, s *Store) *atomic.Int64 {
	t.Helper()
	var queries atomic.Int64
	count := func(*gorm.DB) { queries.Add(1) }
	on := s.db.read.Callback()
	require.NoError(t, on.Query().Before("*").Register("count", count))
	require.NoError(t, on.Row().Before("*").Register("count", count))
	require.NoError(t, on.Raw().Before("*").Register("count", count))
	return &queries
}
