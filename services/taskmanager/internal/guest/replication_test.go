package guest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest/fake"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// member is one server of a set, as a workflow sees it.
type member struct {
	step.Guest

	// agent is a pretended member's.
	agent *fake.Agent
	id    string
	// ready is for after the database was made.
	ready  func()
	commit func(row string) error
	rows   func() []string
}

// set is what the suite of replication runs on.
type set struct {
	t          *testing.T
	fresh      func(id string) *member
	operations int
}

func (s *set) operation() *guestagentv1.Operation {
	s.operations++
	return &guestagentv1.Operation{Id: "task/" + string(rune('a'+s.operations)), Epoch: 1}
}

func silent(string) {}

// user and password are the tenant's.
const (
	user     = "ann"
	password = "Vee3-suite"
)

// source is a member with a database that writes.
func (s *set) source(id string) *member {
	s.t.Helper()
	m := s.fresh(id)
	require.NoError(s.t, m.Prepare(s.t.Context(), &guestagentv1.PrepareRequest{
		Operation: s.operation(), Manager: "mariadb", Databases: []*guestagentv1.Database{{Name: "app"}},
		Users: []*guestagentv1.User{{Name: user, Password: password, Databases: []string{"app"}}},
	}, silent))
	m.ready()
	return m
}

// admit lets a replica in at its source.
func (s *set) admit(source, replica *member, ticket string) *guestagentv1.Source {
	s.t.Helper()
	admitted, err := source.AdmitReplica(s.t.Context(), &guestagentv1.AdmitReplicaRequest{
		ReplicaInstanceId: replica.id, ReplicaAddress: "127.0.0.1", Ticket: ticket, TicketMilliseconds: time.Minute.Milliseconds(),
	})
	require.NoError(s.t, err)
	return admitted
}

func (s *set) replica(id string, source *member) *member {
	s.t.Helper()
	m := s.fresh(id)
	require.NoError(s.t, m.PrepareReplica(s.t.Context(), &guestagentv1.PrepareReplicaRequest{
		Operation: s.operation(), Manager: "mariadb", Source: s.admit(source, m, "ticket-"+id),
	}, silent))
	return m
}

func (s *set) position(m *member) string {
	s.t.Helper()
	r, err := m.Replication(s.t.Context())
	require.NoError(s.t, err)
	return r.GetPosition()
}

func (s *set) follow(m *member, source *guestagentv1.Source) error {
	return m.FollowSource(s.t.Context(), &guestagentv1.FollowSourceRequest{Operation: s.operation(), Source: source}, silent)
}

// copies: a replica has what its source commits, and refuses writes; a ticket is good once.
func (s *set) copies(t *testing.T) {
	m := s.source("m")
	require.NoError(t, m.commit("before"))
	r, copying := s.fresh("r"), s.operation()
	prepare := func(ticket string) {
		require.NoError(t, r.PrepareReplica(t.Context(), &guestagentv1.PrepareReplicaRequest{
			Operation: copying, Manager: "mariadb", Source: s.admit(m, r, ticket),
		}, silent))
	}
	prepare("ticket-r")
	// Asked again, it follows with the new account, and needs no ticket.
	prepare("")
	require.NoError(t, m.commit("after"))
	now, err := r.AwaitPosition(limited(t, time.Minute), s.position(m))
	require.NoError(t, err)
	assert.Equal(t, []string{"before", "after"}, r.rows())
	assert.Equal(t, guestagentv1.ReplicationRole_REPLICATION_ROLE_REPLICA, now.GetRole())
	assert.Equal(t, "m", now.GetSourceInstanceId())
	assert.True(t, now.GetStreaming())
	assert.False(t, now.GetWritable())
	require.Error(t, r.commit("at a replica"))

	used := s.admit(m, r, "")
	used.Ticket = "ticket-r"
	err = r.PrepareReplica(t.Context(), &guestagentv1.PrepareReplicaRequest{Operation: s.operation(), Manager: "mariadb", Source: used}, silent)
	assert.True(t, errs.IsReason(err, "DATA_EXISTS"), "%v", err)
	err = r.PrepareReplica(t.Context(), &guestagentv1.PrepareReplicaRequest{
		Operation: s.operation(), Manager: "mariadb", Source: used, ReplaceData: true,
	}, silent)
	assert.True(t, errs.IsReason(err, "COPY_CUT"), "%v", err)
	require.NoError(t, m.DismissReplica(t.Context(), "r"))
	require.NoError(t, m.DismissReplica(t.Context(), "r"))
}

// switches: source and replica change places, and nothing is lost.
func (s *set) switches(t *testing.T) {
	m := s.source("m")
	r, o := s.replica("r", m), s.replica("o", m)
	require.NoError(t, m.commit("one"))
	forM, forO := s.admit(r, m, ""), s.admit(r, o, "")

	freeze := s.operation()
	position, err := m.Freeze(t.Context(), freeze, silent)
	require.NoError(t, err)
	require.Error(t, m.commit("at a frozen source"))
	require.NoError(t, m.Unfreeze(t.Context(), s.operation(), silent))
	require.NoError(t, m.commit("two"))
	again, err := m.Freeze(t.Context(), freeze, silent)
	require.NoError(t, err)
	assert.NotEqual(t, position, again, "a repetition is no memory of the first time")
	require.Error(t, m.commit("at a frozen source"))

	_, err = r.AwaitPosition(limited(t, time.Minute), again)
	require.NoError(t, err)
	promote := s.operation()
	for range 2 {
		_, err = r.Promote(t.Context(), promote, silent)
		require.NoError(t, err)
	}
	require.NoError(t, r.commit("three"))
	require.NoError(t, s.follow(m, forM))
	require.NoError(t, s.follow(o, forO))
	for _, each := range []*member{m, o} {
		_, err = each.AwaitPosition(limited(t, time.Minute), s.position(r))
		require.NoError(t, err)
		assert.Equal(t, []string{"one", "two", "three"}, each.rows())
		require.Error(t, each.commit("at a replica"))
	}
	assert.True(t, errs.IsReason(s.follow(r, forM), "IS_SOURCE"))
	assert.True(t, errs.IsReason(m.Unfreeze(t.Context(), s.operation(), silent), "IS_REPLICA"))
}

// diverges: what another source has never seen is only given up for a copy.
func (s *set) diverges(t *testing.T) {
	m := s.source("m")
	r := s.replica("r", m)
	require.NoError(t, m.commit("shared"))
	_, err := r.AwaitPosition(limited(t, time.Minute), s.position(m))
	require.NoError(t, err)
	_, err = r.Promote(t.Context(), s.operation(), silent)
	require.NoError(t, err)
	require.NoError(t, m.commit("lost"))
	require.NoError(t, r.commit("kept"))
	require.NoError(t, r.commit("kept too"))

	_, err = m.Freeze(t.Context(), s.operation(), silent)
	require.NoError(t, err)
	err = s.follow(m, s.admit(r, m, ""))
	require.True(t, errs.IsReason(err, "DIVERGED"), "%v", err)
	require.NoError(t, m.PrepareReplica(t.Context(), &guestagentv1.PrepareReplicaRequest{
		Operation: s.operation(), Manager: "mariadb", Source: s.admit(r, m, "ticket"), ReplaceData: true,
	}, silent))
	_, err = m.AwaitPosition(limited(t, time.Minute), s.position(r))
	require.NoError(t, err)
	assert.Equal(t, []string{"shared", "kept", "kept too"}, m.rows())
}

// suite holds the fake to what the real agent does.
var suite = map[string]func(*set, *testing.T){
	"a copy goes on as a replica": (*set).copies, "a switch": (*set).switches, "a divergence": (*set).diverges,
}

func TestReplicationAtTheFake(t *testing.T) {
	for name, run := range suite {
		t.Run(name, func(t *testing.T) {
			b, network := setup(t), fake.NewNetwork()
			run(&set{t: t, fresh: func(id string) *member { return b.pretended(t, id, network) }}, t)
		})
	}
}

func TestReplicationAtTheRealAgent(t *testing.T) {
	h := newHosts(t, setup(t))
	for name, run := range suite {
		t.Run(name, func(t *testing.T) {
			run(&set{t: t, fresh: h.of(t).fresh}, t)
		})
	}
}

// pretended is a member with a fake agent.
func (b *bench) pretended(t *testing.T, id string, network *fake.Network) *member {
	t.Helper()
	agent, err := b.ca.Agent(id)
	require.NoError(t, err)
	agent.Join(network)
	g, err := b.dialer.Guest(id, serve(t, agent, nil))
	require.NoError(t, err)
	return &member{Guest: g, agent: agent, id: id, ready: func() {}, commit: agent.Commit, rows: agent.Rows}
}

func TestAHeldReplicaIsAwaitedUntilTheDeadline(t *testing.T) {
	b, network := setup(t), fake.NewNetwork()
	s := &set{t: t, fresh: func(id string) *member { return b.pretended(t, id, network) }}
	m := s.source("m")
	r := s.replica("r", m)
	r.agent.Hold(true)
	require.NoError(t, m.commit("one"))
	_, err := r.AwaitPosition(limited(t, 50*time.Millisecond), s.position(m))
	require.Error(t, err)
	r.agent.Hold(false)
	_, err = r.AwaitPosition(limited(t, time.Minute), s.position(m))
	require.NoError(t, err)
	assert.Equal(t, []string{"m"}, network.Writable())
}
