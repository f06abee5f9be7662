// Package enginetest holds every engine to the same behaviour.
package enginetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

// Subject is the engine under test.
type Subject struct {
	Open engine.Open
	// Execute runs a statement as a user over TCP; an empty database is none.
	Execute func(ctx context.Context, address string, user engine.User, database, statement string) error
	// CreateTable and Insert are statements in the engine's own words.
	CreateTable, Insert string
	// Reserved are names that tenants may not take.
	ReservedDatabases, ReservedUsers []string
	// EngineRoot is the root folder of the engine's programs; empty for the machine's own.
	EngineRoot string
}

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
	t.Run("it answers after its start and its mark is on its command line", f.starts)
	t.Run("users reach their databases and no others", f.createsUsers)
	t.Run("reserved and empty names are refused", f.refusesNames)
	t.Run("read only holds users and not the administrator", f.holds)
	t.Run("a clean stop and another start keep the rows", f.restarts)
}

var ann = engine.User{Name: "ann", Password: "it's \\ \"quoted\" `so`", Databases: []string{"app", "a_b"}}

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
		require.NoError(t, f.CreateUsers(t.Context(), []engine.User{ann}))
	}
	require.NoError(t, f.execute(ann, "app", f.CreateTable))
	require.NoError(t, f.execute(ann, "a_b", f.CreateTable))
	require.Error(t, f.execute(ann, "axb", f.CreateTable))
	wrong := ann
	wrong.Password = "wrong"
	require.Error(t, f.execute(wrong, "app", f.Insert))
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
	require.Error(t, f.execute(ann, "app", f.Insert))
	require.NoError(t, f.CreateDatabases(t.Context(), []engine.Database{{Name: "by_admin"}}))
	require.NoError(t, f.SetReadOnly(t.Context(), false))
	require.NoError(t, f.execute(ann, "app", f.Insert))
}

func (f *fixture) restarts(t *testing.T) {
	require.NoError(t, f.process.Signal(f.StopSignal()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	exit, err := f.process.Wait(ctx)
	require.NoError(t, err)
	assert.Equal(t, proc.Exit{Known: true}, exit)
	f.Disconnect()
	require.Error(t, f.Answers(t.Context()))
	f.start(t)
	require.NoError(t, f.execute(ann, "app", f.Insert))
}

func (f *fixture) execute(user engine.User, database, statement string) error {
	return f.Execute(f.t.Context(), f.server.Address, user, database, statement)
}

func (f *fixture) start(t *testing.T) {
	t.Helper()
	command, err := f.Command()
	require.NoError(t, err)
	f.process, err = proc.Start(command)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return f.Answers(t.Context()) == nil }, time.Minute, 5*time.Millisecond)
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
		Address: fmt.Sprintf("127.%d.%d.%d", 2+rand.IntN(250), rand.IntN(256), 1+rand.IntN(254)),
	}
	if os.Geteuid() == 0 {
		server.RunAsUID, server.RunAsGID = 65000, 65000
	}
	require.NoError(t, os.Mkdir(server.DataDir, 0o711))
	require.NoError(t, server.MakeFolders())
	return server
}
