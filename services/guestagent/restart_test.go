package guestagent_test

import (
	"context"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

func TestARestartKeepsTheRowsAndHappensOnceHoweverOftenItIsAsked(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := preparedOf(t, k)
		db := m.connect("ann", password, "app")
		_, err := db.ExecContext(m.ctx(), "CREATE TABLE t AS SELECT 42 AS i")
		require.NoError(t, err)

		var asking sync.WaitGroup
		for range 5 {
			asking.Go(func() { assert.NoError(t, m.restart("task-1/restart", 1)) })
		}
		asking.Wait()
		require.NoError(t, m.restart("task-1/restart", 2))

		assert.EqualValues(t, 2, m.status().GetStarts())
		var i int
		require.NoError(t, db.QueryRowContext(m.ctx(), "SELECT i FROM t").Scan(&i))
		assert.Equal(t, 42, i)

		require.NoError(t, m.restart("task-2/restart", 2))
		assert.EqualValues(t, 3, m.status().GetStarts())
	})
}

func TestARestartGoesOnWhenItsCallerIsGone(t *testing.T) {
	m := prepared(t)
	ctx, cancel := context.WithCancel(m.ctx())
	stream, err := m.client().RestartDatabase(ctx, &guestagentv1.RestartDatabaseRequest{
		Operation: &guestagentv1.Operation{Id: "task-1/restart", Epoch: 1},
	})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)
	cancel()
	m.await(func(s *guestagentv1.DatabaseStatus) bool {
		return s.GetStarts() == 2 && s.GetServiceStatus() == "HEALTHY"
	})
	require.NoError(t, m.restart("task-1/restart", 2))
	assert.EqualValues(t, 2, m.status().GetStarts())
}

func TestAnOlderRunIsRefusedAlsoByTheNextAgent(t *testing.T) {
	m := prepared(t)
	require.NoError(t, m.restart("task-1/restart", 7))
	refused := func(id string) {
		t.Helper()
		err := m.restart(id, 6)
		assert.True(t, errs.IsReason(err, "RUN_SUPERSEDED") && errs.IsKind(err, errs.Conflict), "%v", err)
	}
	refused("task-2/restart")
	refused("task-1/restart")
	m.endAgent(syscall.SIGKILL)
	m.startAgent()
	refused("task-2/restart")
	assert.EqualValues(t, 2, m.status().GetStarts())
}

func TestARestartInterruptedByTheAgentsDeathHappensOnce(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		for _, seen := range []string{"SHUTDOWN", "RUNNING"} {
			t.Run(seen, func(t *testing.T) {
				m := preparedOf(t, k)
				var asking sync.WaitGroup
				asking.Go(func() { assert.Error(t, m.restart("task-1/restart", 1)) })
				m.await(func(s *guestagentv1.DatabaseStatus) bool { return s.GetServiceStatus() == seen })
				m.endAgent(syscall.SIGKILL)
				asking.Wait()
				m.startAgent()
				require.NoError(t, m.restart("task-1/restart", 2))
				assert.EqualValues(t, 2, m.status().GetStarts())
				assert.Len(t, m.databases(), 1)
			})
		}
	})
}
