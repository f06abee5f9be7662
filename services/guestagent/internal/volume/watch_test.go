package volume_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/volume"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAFolderIsMeasuredByItsBlocksAndAFileSystemByItself(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "a"), make([]byte, 1<<20), 0o600))
	use, err := volume.Measure(t.Context(), folder, 1<<30)
	require.NoError(t, err)
	assert.InDelta(t, 1<<20, use.Used, 64<<10)
	assert.EqualValues(t, 1<<30, use.Total)

	use, err = volume.Measure(t.Context(), folder, 0)
	require.NoError(t, err)
	assert.Greater(t, use.Total, use.Used)
	assert.Positive(t, use.Used)
}

func TestAFullFolderMakesItsDatabaseReadOnlyUntilItIsGrown(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "a"), make([]byte, 2<<20), 0o600))
	hub := report.NewHub(report.Status{Service: status.ServiceHealthy, Starts: 1})
	var limit atomic.Uint64
	limit.Store(1 << 20)
	told := make(chan bool)
	w := volume.Watch{
		Folder: folder, Hub: hub, Log: slog.New(slog.DiscardHandler), Interval: time.Millisecond,
		Limit: func() (uint64, error) { return limit.Load(), nil },
		SetReadOnly: func(ctx context.Context, on bool) error {
			select {
			case told <- on:
			case <-ctx.Done():
			}
			return ctx.Err()
		},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	defer func() { cancel(); <-ended }()

	require.True(t, <-told)
	// A new process has forgotten it.
	hub.Update(func(s *report.Status) { s.Starts++ })
	require.True(t, <-told)
	limit.Store(1 << 30)
	require.False(t, <-told)
	assert.EqualValues(t, 1<<30, hub.Latest().Volume.Total)
}
