package enginetest

import (
	"cmp"
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/role"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

// RunReplication exercises an engine whose servers form a set, on three servers with real processes. The test is the
// agent: it keeps the roles and starts and stops the databases.
func RunReplication(t *testing.T, s Subject) {
	t.Helper()
	set := newMembers(t, s, "aaaaaaaa", "bbbbbbbb", "cccccccc")
	a, b, c := set[0], set[1], set[2]
	a.prepare()

	step := func(name string, test func(*testing.T)) {
		if !t.Failed() {
			t.Run(name, test)
		}
	}
	step("replicas are copied from a source that works", func(t *testing.T) {
		a.insert(t)
		b.copyFrom(t, a)
		c.copyFrom(t, a)
		a.insert(t)
		b.hasAllOf(t, a)
		c.hasAllOf(t, a)
	})
	step("replicas refuse writes and say how far they are", func(t *testing.T) {
		require.Error(t, b.execute(ann, "app", insert))
		assert.False(t, b.status(t).Writable)
		assert.True(t, a.status(t).Writable)
		assert.Equal(t, a.status(t).Progress, b.status(t).Progress)
	})
	step("a replica that was killed follows again by itself", func(t *testing.T) {
		b.die(t)
		if s.Spoil != nil {
			s.Spoil(t, b.server.DataDir)
		}
		a.insert(t)
		require.NoError(t, b.RequestAndWaitStart(t.Context()))
		b.hasAllOf(t, a)
		require.Error(t, b.execute(ann, "app", insert))
	})
	step("a frozen source refuses writes over a crash until it is let go", func(t *testing.T) {
		first := a.freeze(t)
		require.Error(t, a.execute(ann, "app", insert))
		assert.Equal(t, first, a.freeze(t))
		if a.replicator.RunsFrozen() {
			a.die(t)
			require.NoError(t, a.RequestAndWaitStart(t.Context()))
			require.Error(t, a.execute(ann, "app", insert))
		}
		assert.Equal(t, first, a.status(t).Position)
		a.role = role.Source
		require.NoError(t, a.replicator.Unfreeze(t.Context(), a))
		a.enforce(t)
		a.insert(t)
		b.hasAllOf(t, a)
	})
	step("a source that is killed while it is frozen keeps what it acknowledged", func(t *testing.T) {
		a.insert(t)
		a.role = role.Frozen
		a.die(t)
		position, err := a.replicator.Freeze(t.Context(), a)
		require.NoError(t, err)
		require.NotEmpty(t, position)
		a.role = role.Source
		require.NoError(t, a.replicator.Unfreeze(t.Context(), a))
		a.enforce(t)
		b.hasAllOf(t, a)
	})
	step("source and replica change places without losing a row, and the others come along", func(t *testing.T) {
		a.insert(t)
		before := a.rows(t)
		position := a.freeze(t)
		b.await(t, position)
		b.promote(t)
		assert.Equal(t, before, b.rows(t))
		b.insert(t)
		c.follow(t, b)
		a.follow(t, b)
		require.NoError(t, b.replicator.DismissReplica(t.Context(), b.server.InstanceID))
		b.insert(t)
		a.hasAllOf(t, b)
		c.hasAllOf(t, b)
		require.Error(t, a.execute(ann, "app", insert))
	})
	step("and back, more than once", func(t *testing.T) {
		for range 2 {
			a.await(t, b.freeze(t))
			a.promote(t)
			b.follow(t, a)
			c.follow(t, a)
			a.insert(t)
			b.hasAllOf(t, a)
			b.await(t, a.freeze(t))
			b.promote(t)
			a.follow(t, b)
			c.follow(t, b)
			b.insert(t)
			a.hasAllOf(t, b)
		}
	})
	step("a replica replaces a dead source, which may only come back as a copy", func(t *testing.T) {
		b.insert(t)
		a.hasAllOf(t, b)
		c.hasAllOf(t, b)
		a.die(t)
		b.insert(t) // a has not got it
		c.hasAllOf(t, b)
		b.insert(t)
		c.hasAllOf(t, b)
		c.die(t)
		b.insert(t) // nobody has got it
		b.die(t)
		require.NoError(t, a.RequestAndWaitStart(t.Context()))
		require.NoError(t, c.RequestAndWaitStart(t.Context()))
		assert.Less(t, a.status(t).Progress, c.status(t).Progress)
		c.promote(t)
		c.insert(t)
		a.follow(t, c)
		a.hasAllOf(t, c)

		b.role = role.Frozen // fenced
		_, err := b.replicator.Freeze(t.Context(), b)
		require.NoError(t, err)
		source := b.admittedBy(t, c)
		err = b.replicator.CheckFollow(t.Context(), source)
		require.True(t, errs.IsReason(err, "DIVERGED"), "%v", err)
		b.copyFrom(t, c)
		b.hasAllOf(t, c)
	})
	step("a replica that is sent away follows nobody", func(t *testing.T) {
		for range 2 {
			require.NoError(t, c.replicator.DismissReplica(t.Context(), b.server.InstanceID))
		}
		require.Eventually(t, func() bool { return !b.status(t).Streaming }, time.Minute, 5*time.Millisecond)
		b.promote(t)
		b.insert(t)
	})
}

// RunForeign leads a server to one that it has nothing in common with.
func RunForeign(t *testing.T, s Subject) {
	t.Helper()
	both := newMembers(t, s, "aaaaaaaa", "bbbbbbbb")
	a, b := both[0], both[1]
	a.prepare()
	b.prepare()
	b.insert(t)
	a.freeze(t)
	err := a.replicator.CheckFollow(t.Context(), a.admittedBy(t, b))
	require.True(t, errs.IsReason(err, "DIVERGED"), "%v", err)
}

// member is a server with its role.
type member struct {
	*fixture

	replicator engine.Replicator
	role       role.Role
}

// newMembers are servers that share their templates, as those of one host do.
func newMembers(t *testing.T, s Subject, ids ...string) (members []*member) {
	t.Helper()
	var templates string
	for _, id := range ids {
		server := newServer(t)
		templates = cmp.Or(templates, server.TemplatesDir)
		server.InstanceID, server.EngineRoot, server.TemplatesDir = id, s.EngineRoot, templates
		members = append(members, newMember(t, s, server))
	}
	return members
}

func newMember(t *testing.T, s Subject, server settings.Server) *member {
	t.Helper()
	e, err := s.Open(t.Context(), server, "")
	require.NoError(t, err)
	m := &member{fixture: &fixture{Subject: s, Engine: e, t: t, server: server}, replicator: e.(engine.Replicator), role: role.Source}
	t.Cleanup(func() { m.Disconnect(); m.kill() })
	return m
}

func (m *member) prepare() {
	m.t.Helper()
	require.NoError(m.t, m.Install(m.t.Context()))
	require.NoError(m.t, m.Configure(256))
	require.NoError(m.t, m.RequestAndWaitStart(m.t.Context()))
	require.NoError(m.t, m.CreateDatabases(m.t.Context(), []engine.Database{{Name: "app"}}))
	user := ann
	user.Databases = []string{"app"}
	require.NoError(m.t, m.CreateUsers(m.t.Context(), []engine.User{user}))
	require.NoError(m.t, m.Settle(m.t.Context()))
	require.NoError(m.t, m.execute(ann, "app", createTable))
}

func (m *member) admittedBy(t *testing.T, source *member) engine.Source {
	t.Helper()
	account, err := source.replicator.AdmitReplica(t.Context(), engine.Member{InstanceID: m.server.InstanceID, Address: m.server.Address})
	require.NoError(t, err)
	return engine.Source{Member: engine.Member{InstanceID: source.server.InstanceID, Address: source.server.Address}, Account: account}
}

// copyFrom does what PrepareReplica does.
func (m *member) copyFrom(t *testing.T, from *member) {
	t.Helper()
	m.role = role.Replica
	require.NoError(t, m.Configure(256))
	require.NoError(t, m.RequestAndWaitStop(t.Context()))
	require.NoError(t, m.replicator.RemoveData(t.Context()))
	source := m.admittedBy(t, from)
	require.NoError(t, m.replicator.CopyFrom(t.Context(), source, func(ctx context.Context) (io.ReadCloser, error) {
		reader, writer := io.Pipe()
		go func() { writer.CloseWithError(from.replicator.SendCopy(ctx, writer)) }()
		return reader, nil
	}))
	require.NoError(t, m.RequestAndWaitStart(t.Context()))
	require.NoError(t, m.replicator.Follow(t.Context(), source, m))
	require.NoError(t, m.Settle(t.Context()))
	m.enforce(t)
}

func (m *member) follow(t *testing.T, from *member) {
	t.Helper()
	source := m.admittedBy(t, from)
	require.NoError(t, m.replicator.CheckFollow(t.Context(), source))
	m.role = role.Replica
	require.NoError(t, m.replicator.Follow(t.Context(), source, m))
	m.enforce(t)
}

func (m *member) freeze(t *testing.T) (position string) {
	t.Helper()
	m.role = role.Frozen
	position, err := m.replicator.Freeze(t.Context(), m)
	require.NoError(t, err)
	return position
}

func (m *member) promote(t *testing.T) {
	t.Helper()
	m.role = role.Source
	for range 2 {
		_, err := m.replicator.Promote(t.Context(), m)
		require.NoError(t, err)
	}
	m.enforce(t)
}

func (m *member) enforce(t *testing.T) {
	t.Helper()
	require.NoError(t, m.SetReadOnly(t.Context(), !m.role.MayWrite()))
}

func (m *member) insert(t *testing.T) {
	t.Helper()
	require.NoError(t, m.execute(ann, "app", insert))
}

// hasAllOf waits until all that the source has is here.
func (m *member) hasAllOf(t *testing.T, source *member) {
	t.Helper()
	m.await(t, source.status(t).Position)
	assert.Equal(t, source.rows(t), m.rows(t))
}

func (m *member) await(t *testing.T, position string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, m.replicator.AwaitPosition(ctx, position))
}

func (m *member) status(t *testing.T) engine.Replication {
	t.Helper()
	status, err := m.replicator.Replication(t.Context())
	require.NoError(t, err)
	return status
}

func (m *member) die(t *testing.T) {
	t.Helper()
	require.NoError(t, proc.Kill(t.Context(), m.process))
	m.Disconnect()
}

func (m *member) runs() bool {
	if m.process == nil {
		return false
	}
	select {
	case <-m.process.Done():
		return false
	default:
		return true
	}
}

// RequestAndWaitStart starts the database, unless it runs, and lets it assume its role.
func (m *member) RequestAndWaitStart(ctx context.Context) error {
	if m.runs() {
		return nil
	}
	m.start(m.t) //nolint:contextcheck // the test has its own
	return m.replicator.Assume(ctx, m.role, !m.role.MayWrite())
}

// RequestAndWaitStop stops the database, if it runs.
func (m *member) RequestAndWaitStop(ctx context.Context) error {
	if !m.runs() {
		return nil
	}
	m.Disconnect()
	if err := m.process.Signal(m.StopSignal()); err != nil {
		return err
	}
	_, err := m.process.Wait(ctx)
	m.Disconnect()
	return err
}

// RequestAndWaitRestart does both.
func (m *member) RequestAndWaitRestart(ctx context.Context) error {
	if err := m.RequestAndWaitStop(ctx); err != nil {
		return err
	}
	return m.RequestAndWaitStart(ctx)
}
