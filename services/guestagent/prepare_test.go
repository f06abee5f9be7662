package guestagent_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

func TestAPreparedDatabaseServesItsUsers(t *testing.T) {
	m := prepared(t)
	status := m.status()
	assert.Equal(t, "HEALTHY", status.GetServiceStatus())
	assert.EqualValues(t, 1, status.GetStarts())
	assert.EqualValues(t, m.database().PID(), status.GetPid())
	assert.Regexp(t, `^\d+\.\d+\.\d+$`, status.GetVersion())

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
}

func TestNobodyButTheRequestsUsersCanLogIn(t *testing.T) {
	m := prepared(t)
	for _, user := range []string{"root", "os_admin", "", "mariadb.sys"} {
		assert.ErrorContains(t, m.connect(user, "", "").PingContext(m.ctx()), "Access denied", "user %q", user)
	}
	assert.ErrorContains(t, m.connect("ann", "wrong", "").PingContext(m.ctx()), "Access denied")
	assert.ErrorContains(t, m.connect("ann", password, "mysql").PingContext(m.ctx()), "denied")
	// The _ of a name is no wildcard in a grant.
	_, err := m.connect("ann", password, "app").ExecContext(m.ctx(), "CREATE DATABASE `axp`")
	assert.ErrorContains(t, err, "denied")
}

func TestAPasswordIsInNoFileOfTheServer(t *testing.T) {
	m := prepared(t)
	require.NoError(t, filepath.WalkDir(m.server.Folder, func(path string, item fs.DirEntry, err error) error {
		if err != nil || !item.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		assert.NotContains(t, string(text), password, path)
		return err
	}))
}

func TestPrepareIsDoneOnce(t *testing.T) {
	m := prepared(t)
	before := m.status()
	m.prepare()
	assert.NoError(t, outcome(m.client().Prepare(m.ctx(), prepareRequest("task-9/prepare", 2))))
	after := m.status()
	assert.Equal(t, before.GetStarts(), after.GetStarts())
	assert.Equal(t, before.GetPid(), after.GetPid())
}

func TestABadPrepareSaysWhatIsWrong(t *testing.T) {
	m := newMachine(t)
	m.startAgent()
	m.enroll()
	for reason, change := range map[string]func(*guestagentv1.PrepareRequest){
		"MANAGER_UNKNOWN":   func(r *guestagentv1.PrepareRequest) { r.Manager = "oracle" },
		"VERSION_MISSING":   func(r *guestagentv1.PrepareRequest) { r.Version = "5.5.1" },
		"OPERATION_MISSING": func(r *guestagentv1.PrepareRequest) { r.Operation = nil },
		"NAME_RESERVED":     func(r *guestagentv1.PrepareRequest) { r.Users[0].Name = "os_admin" },
		"DATABASE_REFUSED":  func(r *guestagentv1.PrepareRequest) { r.Databases[0].CharacterSet = "klingon" },
	} {
		t.Run(reason, func(t *testing.T) {
			request := prepareRequest("task-0/"+reason, 1)
			change(request)
			err := outcome(m.client().Prepare(m.ctx(), request))
			require.True(t, errs.IsReason(err, reason), "%v", err)
			assert.True(t, errs.IsKind(err, errs.Invalid), "%v", err)
			again := outcome(m.client().Prepare(m.ctx(), request))
			assert.Equal(t, errs.From(err).Sentence, errs.From(again).Sentence)
		})
	}
}

func TestATakenPortIsNamed(t *testing.T) {
	first := prepared(t)
	m := newMachine(t)
	m.server.Address = first.server.Address
	m.writeSettings()
	m.startAgent()
	m.enroll()
	err := outcome(m.client().Prepare(m.ctx(), prepareRequest("task-0/prepare", 1)))
	require.True(t, errs.IsReason(err, "DATABASE_NOT_STARTED"), "%v", err)
	assert.True(t, strings.Contains(err.Error(), "port: 3306"), "%v", err)
}
