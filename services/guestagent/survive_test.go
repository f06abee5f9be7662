package guestagent_test

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

func TestTheDatabaseOutlivesItsAgentAndIsFoundAgain(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := preparedOf(t, k)
		pid := m.database().PID()
		life := m.status().GetAgentLife()
		for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT} {
			m.endAgent(signal)
			require.Equal(t, pid, m.database().PID(), "after %s", signal)
			m.startAgent()
			m.await(func(s *guestagentv1.DatabaseStatus) bool { return s.GetServiceStatus() == "HEALTHY" })
			status := m.status()
			assert.EqualValues(t, pid, status.GetPid())
			assert.EqualValues(t, 1, status.GetStarts())
			assert.NotEqual(t, life, status.GetAgentLife())
			life = status.GetAgentLife()
		}
		// It is the new agent's as it was the old one's.
		require.NoError(t, m.restart("task-1/restart", 1))
		assert.NotEqual(t, pid, m.database().PID())
	})
}

func TestADatabaseThatDiesComesBackByItself(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := preparedOf(t, k)
		first := m.status()
		require.NoError(t, proc.Kill(m.ctx(), m.database()))
		seen := m.await(func(s *guestagentv1.DatabaseStatus) bool {
			return s.GetPid() != first.GetPid() && s.GetServiceStatus() == "HEALTHY"
		})
		assert.Contains(t, seen, "RUNNING")
		assert.EqualValues(t, 2, m.status().GetStarts())
		require.NoError(t, m.connect("ann", password, "app").PingContext(m.ctx()))
	})
}

func TestADatabaseThatDiedWhileNoAgentWasThereIsStartedByTheNext(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := preparedOf(t, k)
		m.endAgent(syscall.SIGKILL)
		require.NoError(t, proc.Kill(m.ctx(), m.database()))
		m.startAgent()
		m.await(func(s *guestagentv1.DatabaseStatus) bool { return s.GetServiceStatus() == "HEALTHY" })
		assert.EqualValues(t, 2, m.status().GetStarts())
	})
}

func TestPowerOffStopsTheDatabaseAndTheNextStartBringsItBack(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := preparedOf(t, k)
		m.endAgent(syscall.SIGPWR)
		assert.Equal(t, 0, m.agent.Exit().Code)
		assert.Empty(t, m.databases())
		m.startAgent()
		m.await(func(s *guestagentv1.DatabaseStatus) bool { return s.GetServiceStatus() == "HEALTHY" })
		require.NoError(t, m.connect("ann", password, "app").PingContext(m.ctx()))
	})
}

func TestAStoppedDatabaseStaysStopped(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := preparedOf(t, k)
		require.NoError(t, outcome(m.client().StopDatabase(m.ctx(), &guestagentv1.StopDatabaseRequest{
			Operation: &guestagentv1.Operation{Id: "task-1/stop", Epoch: 1},
		})))
		m.endAgent(syscall.SIGKILL)
		m.startAgent()
		assert.Equal(t, "SHUTDOWN", m.status().GetServiceStatus())
		assert.Empty(t, m.databases())
	})
}
