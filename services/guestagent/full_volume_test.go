package guestagent_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

func TestAFullVolumeIsReportedAndHeldUntilItIsGrown(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		const small, large = 1 << 20, 1 << 30
		m := preparedOf(t, k, func(s *settings.Server) { s.VolumeLimitBytes = small })
		m.await(func(s *guestagentv1.DatabaseStatus) bool { return s.GetVolume().GetTotalBytes() == small })
		db := m.connect("ann", password, "app")
		write := func(ctx context.Context) error {
			_, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS t (i INT)")
			return err
		}
		require.Eventually(t, func() bool { return write(m.ctx()) != nil }, time.Minute, 5*time.Millisecond)
		require.ErrorContains(t, write(m.ctx()), "read-only")

		m.server.VolumeLimitBytes = large
		m.writeSettings()
		m.endAgent(syscall.SIGTERM) // the next agent measures at once
		m.startAgent()
		require.Eventually(t, func() bool { return write(m.ctx()) == nil }, time.Minute, 5*time.Millisecond)
		// What is told follows what is done.
		m.await(func(s *guestagentv1.DatabaseStatus) bool {
			use := s.GetVolume()
			return use.GetTotalBytes() == large && use.GetUsedBytes() > small
		})
	})
}
