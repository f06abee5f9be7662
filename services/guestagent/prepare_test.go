package guestagent_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

func TestAPreparedDatabaseServesItsUsers(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := preparedOf(t, k)
		status := m.status()
		assert.Equal(t, "HEALTHY", status.GetServiceStatus())
		assert.EqualValues(t, 1, status.GetStarts())
		assert.EqualValues(t, m.database().PID(), status.GetPid())
		assert.Regexp(t, k.version, status.GetVersion())

		db := m.connect("ann", password, "app")
		_, err := db.ExecContext(m.ctx(), "CREATE TABLE t (i INT PRIMARY KEY)")
		require.NoError(t, err)
		_, err = m.connect("ann", password, "a_p").ExecContext(m.ctx(), "CREATE TABLE t (i INT)")
		require.NoError(t, err)
		require.NoError(t, outcome(m.client().StopDatabase(m.ctx(), &guestagentv1.StopDatabaseRequest{
			Operation: &guestagentv1.Operation{Id: "task-1/stop", Epoch: 1},
		})))
		assert.Empty(t, m.databases())
		assert.Equal(t, "SHUTDOWN", m.status().GetServiceStatus())
		require.NoError(t, outcome(m.client().StartDatabase(m.ctx(), &guestagentv1.StartDatabaseRequest{
			Operation: &guestagentv1.Operation{Id: "task-2/start", Epoch: 1},
		})))
		_, err = db.ExecContext(m.ctx(), "INSERT INTO t VALUES (1)")
		require.NoError(t, err)
	})
}

func TestNobodyButTheRequestsUsersCanLogIn(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := preparedOf(t, k)
		for _, user := range k.accounts {
			for _, database := range []string{"app", k.system} {
				require.ErrorContains(t, m.connect(user, "", database).PingContext(m.ctx()), k.refused, "user %q", user)
			}
		}
		require.ErrorContains(t, m.connect("ann", "wrong", "app").PingContext(m.ctx()), k.refused)
		require.ErrorContains(t, m.connect("ann", password, k.system).PingContext(m.ctx()), "denied")
		// The _ of a name is no wildcard in a grant.
		_, err := m.connect("ann", password, "app").ExecContext(m.ctx(), "CREATE DATABASE axp")
		assert.ErrorContains(t, err, "denied")
	})
}

func TestAPasswordIsInNoFileOfTheServer(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := preparedOf(t, k)
		require.NoError(t, filepath.WalkDir(m.server.Folder, func(path string, item fs.DirEntry, err error) error {
			if err != nil || !item.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			assert.NotContains(t, string(text), password, path)
			return err
		}))
	})
}

func TestTheDataDirectoryOfANewDatabaseIsMadeBeforeTheAgentIsEnrolled(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := newMachineOf(t, k, func(s *settings.Server) { s.Manager = k.manager })
		m.startAgent()
		require.Eventually(t, func() bool {
			made, err := filepath.Glob(filepath.Join(m.server.DataDir, "*"))
			return err == nil && len(made) > 0
		}, time.Minute, 5*time.Millisecond)
		m.enroll()
		m.prepare()
		assert.EqualValues(t, 1, m.status().GetStarts())
		assert.NoError(t, m.connect("ann", password, "app").PingContext(m.ctx()))
	})
}

func TestPrepareIsDoneOnce(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		m := preparedOf(t, k)
		before := m.status()
		m.prepare()
		require.NoError(t, outcome(m.client().Prepare(m.ctx(), k.prepareRequest("task-9/prepare", 2))))
		after := m.status()
		assert.Equal(t, before.GetStarts(), after.GetStarts())
		assert.Equal(t, before.GetPid(), after.GetPid())
	})
}

func TestABadPrepareSaysWhatIsWrong(t *testing.T) {
	m := newMachine(t)
	m.startAgent()
	m.enroll()
	// In the order in which they are found out: the last ones by a database that runs.
	for _, refused := range []struct {
		reason string
		change func(*guestagentv1.PrepareRequest)
	}{
		{"OPERATION_MISSING", func(r *guestagentv1.PrepareRequest) { r.Operation = nil }},
		{"MANAGER_UNKNOWN", func(r *guestagentv1.PrepareRequest) { r.Manager = "oracle" }},
		{"VERSION_MISSING", func(r *guestagentv1.PrepareRequest) { r.Version = "5.5.1" }},
		{"DATABASE_REFUSED", func(r *guestagentv1.PrepareRequest) { r.Databases[0].CharacterSet = "klingon" }},
		{"NAME_RESERVED", func(r *guestagentv1.PrepareRequest) { r.Users[0].Name = "os_admin" }},
	} {
		t.Run(refused.reason, func(t *testing.T) {
			reason := refused.reason
			request := prepareRequest("task-0/"+reason, 1)
			refused.change(request)
			err := outcome(m.client().Prepare(m.ctx(), request))
			require.True(t, errs.IsReason(err, reason), "%v", err)
			assert.True(t, errs.IsKind(err, errs.Invalid), "%v", err)
			again := outcome(m.client().Prepare(m.ctx(), request))
			assert.Equal(t, errs.From(err).Sentence, errs.From(again).Sentence)
		})
	}
}

func TestATakenPortIsNamed(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		first := preparedOf(t, k)
		m := newMachineOf(t, k)
		m.server.Address = first.server.Address
		m.writeSettings()
		m.startAgent()
		m.enroll()
		err := outcome(m.client().Prepare(m.ctx(), k.prepareRequest("task-0/prepare", 1)))
		require.True(t, errs.IsReason(err, "DATABASE_NOT_STARTED"), "%v", err)
		for _, words := range k.taken {
			assert.ErrorContains(t, err, words)
		}
	})
}

func TestAPrepareInterruptedByTheAgentsDeathIsFinishedByTheNext(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		for _, seen := range []string{"BUILDING", "RUNNING", "HEALTHY"} {
			t.Run(seen, func(t *testing.T) {
				m := newMachineOf(t, k)
				m.startAgent()
				m.enroll()
				var asking sync.WaitGroup
				asking.Go(func() { _ = outcome(m.client().Prepare(m.ctx(), k.prepareRequest("task-0/prepare", 1))) })
				m.await(func(s *guestagentv1.DatabaseStatus) bool { return s.GetServiceStatus() == seen })
				m.endAgent(syscall.SIGKILL)
				asking.Wait()
				m.startAgent()
				require.NoError(t, outcome(m.client().Prepare(m.ctx(), k.prepareRequest("task-0/prepare", 2), grpc.WaitForReady(true))))
				assert.EqualValues(t, 1, m.status().GetStarts())
				require.NoError(t, m.connect("ann", password, "app").PingContext(m.ctx()))
			})
		}
	})
}
