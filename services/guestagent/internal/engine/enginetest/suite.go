// Package enginetest holds every engine to the same behaviour.
package enginetest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/nettest"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

// Subject is the engine under test. What the suite says to it in SQL is the same for all.
type Subject struct {
	Open engine.Open
	// Ask runs a statement as a user over TCP and gives the first column of its rows; an empty database is none.
	Ask func(ctx context.Context, address string, user engine.User, database, statement string) ([]string, error)
	// Port is where the database listens.
	Port int
	// LongQuery is a statement that works for more than a minute.
	LongQuery string
	// Reserved are names that tenants may not take.
	ReservedDatabases, ReservedUsers []string
	// Spoil leaves in a dead replica's data what a death at the worst instant leaves; nil when there is no worse one.
	Spoil func(t *testing.T, dataDir string)
	// EngineRoot is the root folder of the engine's programs; empty for the machine's own.
	EngineRoot string
}

const (
	createTable = "CREATE TABLE IF NOT EXISTS t (i INT)"
	insert      = "INSERT INTO t VALUES (1)"
	count       = "SELECT COUNT(*) FROM t"
)

// Run exercises an engine on a server of its own, with real processes.
func Run(t *testing.T, s Subject) {
	t.Helper()
	server := newServer(t)
	server.EngineRoot = s.EngineRoot
	e, err := s.Open(t.Context(), server, "")
	require.NoError(t, err)
	f := &fixture{Subject: s, Engine: e, t: t, server: server}
	t.Cleanup(func() { f.Disconnect(); f.kill() })

	t.Run("it knows its version", func(t *testing.T) { assert.Regexp(t, `^\d+\.\d+(\.\d+)?$`, e.Version()) })
	t.Run("what is installed twice is installed once", f.installs)
	t.Run("a start that fails says why", f.saysWhy)
	t.Run("it answers after its start and its mark is on its command line", f.starts)
	t.Run("users reach their databases and no others", f.createsUsers)
	t.Run("reserved and empty names are refused", f.refusesNames)
	t.Run("read only holds users and not the administrator", f.holds)
	t.Run("a clean stop and another start keep the rows", f.restarts)
	t.Run("a kill in the middle of work and another start keep the rows", f.recovers)
}

var (
	ann = engine.User{Name: "ann", Password: "it's \\ \"quoted\" `so`", Databases: []string{"app", "a_b"}}
	bob = engine.User{Name: `b"o'b`, Password: "Grüße ключ", Databases: []string{"app"}}
)

type fixture struct {
	Subject
	engine.Engine

	t       *testing.T
	server  settings.Server
	process *proc.Process
}

func (f *fixture) installs(t *testing.T) {
	for range 2 {
		require.NoError(t, f.Install(t.Context()))
		require.NoError(t, f.Configure(256))
	}
}

func (f *fixture) starts(t *testing.T) {
	f.start(t)
	found, err := proc.FindByArgument(f.Mark())
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, f.process.PID(), found[0].PID())
	found[0].Release()
	for range 2 {
		require.NoError(t, f.Settle(t.Context()))
	}
}

func (f *fixture) createsUsers(t *testing.T) {
	for range 2 {
		require.NoError(t, f.CreateDatabases(t.Context(), []engine.Database{{Name: "app"}, {Name: "a_b"}, {Name: "axb"}}))
		require.NoError(t, f.CreateUsers(t.Context(), []engine.User{ann, bob}))
	}
	require.NoError(t, f.execute(ann, "app", createTable))
	require.NoError(t, f.execute(ann, "a_b", createTable))
	require.Error(t, f.execute(ann, "axb", createTable))
	require.NoError(t, f.execute(bob, "app", "CREATE TABLE bobs (i INT)"))
	wrong := ann
	wrong.Password = "wrong"
	require.Error(t, f.execute(wrong, "app", insert))
}

func (f *fixture) refusesNames(t *testing.T) {
	for _, name := range append(f.ReservedDatabases, "") {
		err := f.CreateDatabases(t.Context(), []engine.Database{{Name: name}})
		assert.True(t, errs.IsReason(err, "NAME_RESERVED"), "database %q: %v", name, err)
		err = f.CreateUsers(t.Context(), []engine.User{{Name: "bob", Databases: []string{name}}})
		assert.True(t, errs.IsReason(err, "NAME_RESERVED"), "grant on %q: %v", name, err)
	}
	for _, name := range append(f.ReservedUsers, "") {
		err := f.CreateUsers(t.Context(), []engine.User{{Name: name}})
		assert.True(t, errs.IsReason(err, "NAME_RESERVED"), "user %q: %v", name, err)
	}
}

func (f *fixture) holds(t *testing.T) {
	require.NoError(t, f.SetReadOnly(t.Context(), true))
	require.Error(t, f.execute(ann, "app", insert))
	require.NoError(t, f.CreateDatabases(t.Context(), []engine.Database{{Name: "by_admin"}}))
	require.NoError(t, f.SetReadOnly(t.Context(), false))
	require.NoError(t, f.execute(ann, "app", insert))
}

func (f *fixture) restarts(t *testing.T) {
	before := f.rows(t)
	require.NoError(t, f.process.Signal(f.StopSignal()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	exit, err := f.process.Wait(ctx)
	require.NoError(t, err)
	assert.Equal(t, proc.Exit{Known: true}, exit)
	f.Disconnect()
	require.Error(t, f.Answers(t.Context()))
	f.start(t)
	assert.Equal(t, before, f.rows(t))
}

func (f *fixture) recovers(t *testing.T) {
	require.NoError(t, f.execute(ann, "app", insert))
	before := f.rows(t)
	var asking sync.WaitGroup
	asking.Go(func() { assert.Error(t, f.execute(ann, "app", f.LongQuery)) })
	// Asked here, so that the database is at it.
	require.NoError(t, f.execute(ann, "app", "SELECT 1"))
	require.NoError(t, proc.Kill(t.Context(), f.process))
	f.Disconnect()
	f.start(t)
	asking.Wait()
	assert.Equal(t, before, f.rows(t))
	require.NoError(t, f.execute(ann, "app", insert))
}

// saysWhy starts the database while another program has its port.
func (f *fixture) saysWhy(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(f.server.Address, strconv.Itoa(f.Port)))
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	command, err := f.Command()
	require.NoError(t, err)
	f.process, err = proc.Start(command)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	exit, err := f.process.Wait(ctx)
	require.NoError(t, err)
	assert.NotZero(t, exit.Code)
	assert.Contains(t, f.LastError(), "Address already in use")
}

func (f *fixture) execute(user engine.User, database, statement string) error {
	_, err := f.Ask(f.t.Context(), f.server.Address, user, database, statement)
	return err
}

func (f *fixture) rows(t *testing.T) []string {
	t.Helper()
	rows, err := f.Ask(t.Context(), f.server.Address, ann, "app", count)
	require.NoError(t, err)
	return rows
}

func (f *fixture) start(t *testing.T) {
	t.Helper()
	command, err := f.Command()
	require.NoError(t, err)
	f.process, err = proc.Start(command)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return f.Answers(t.Context()) == nil }, time.Minute, 5*time.Millisecond)
	// As the agent does, which knows whether the server may write.
	require.NoError(t, f.SetReadOnly(t.Context(), false))
}

func (f *fixture) kill() {
	if f.process != nil {
		assert.NoError(f.t, proc.Kill(context.Background(), f.process))
	}
}

func newServer(t *testing.T) settings.Server {
	t.Helper()
	// The database's user must reach its folder, so not t.TempDir.
	dir, err := os.MkdirTemp("", "enginetest-") //nolint:usetesting // closed to others
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o711))
	server := settings.Server{
		InstanceID: "enginetest", DataDir: filepath.Join(dir, "data"), TemplatesDir: filepath.Join(dir, "templates"), Folder: dir,
		Address: nettest.Host(),
	}
	if os.Geteuid() == 0 {
		server.RunAsUID, server.RunAsGID = 65000, 65000
	}
	require.NoError(t, os.Mkdir(server.DataDir, 0o711))
	require.NoError(t, server.MakeFolders())
	return server
}
