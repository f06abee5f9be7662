package guestagent_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// replicating are the engines whose servers form sets.
var replicating = []kind{mariaDB, postgreSQL}

func forEachReplicatingKind(t *testing.T, test func(t *testing.T, k kind)) {
	t.Helper()
	for _, k := range replicating {
		t.Run(k.manager, func(t *testing.T) { test(t, k) })
	}
}

// operations numbers those of this run.
var operations = struct {
	sync.Mutex

	n int
}{}

func newOperation() *guestagentv1.Operation {
	operations.Lock()
	defer operations.Unlock()
	operations.n++
	return &guestagentv1.Operation{Id: fmt.Sprintf("set/%d", operations.n), Epoch: 1}
}

// fresh is a machine with an agent and no database.
func fresh(t *testing.T, k kind) *machine {
	t.Helper()
	m := newMachineOf(t, k)
	m.startAgent()
	m.enroll()
	return m
}

// sourceOf is a machine with a database that has a ledger.
func sourceOf(t *testing.T, k kind) *machine {
	t.Helper()
	m := preparedOf(t, k)
	_, err := m.connect("ann", password, "app").ExecContext(m.ctx(), "CREATE TABLE ledger (n INT PRIMARY KEY, writer INT)")
	require.NoError(t, err)
	return m
}

// admit lets a replica in at a source; a ticket is for a copy.
func (m *machine) admit(replica *machine, ticket string) *guestagentv1.Source {
	m.t.Helper()
	answer, err := m.client().AdmitReplica(m.ctx(), &guestagentv1.AdmitReplicaRequest{
		ReplicaInstanceId: replica.id, ReplicaAddress: replica.server.Address, Ticket: ticket, TicketMilliseconds: 60_000,
	}, grpc.WaitForReady(true))
	require.NoError(m.t, err)
	return answer.GetSource()
}

func (m *machine) prepareReplica(operation *guestagentv1.Operation, source *guestagentv1.Source, replace bool) error {
	return outcome(m.client().PrepareReplica(m.ctx(), &guestagentv1.PrepareReplicaRequest{
		Operation: operation, Manager: m.kind.manager, Ram: 256, Source: source, ReplaceData: replace,
	}, grpc.WaitForReady(true)))
}

// replicaOf is a machine that follows a source.
func replicaOf(t *testing.T, source *machine) *machine {
	t.Helper()
	m := fresh(t, source.kind)
	require.NoError(t, m.prepareReplica(newOperation(), source.admit(m, "ticket of "+m.id), false))
	return m
}

func (m *machine) replication() *guestagentv1.Replication {
	m.t.Helper()
	answer, err := m.client().GetReplication(m.ctx(), &guestagentv1.GetReplicationRequest{}, grpc.WaitForReady(true))
	require.NoError(m.t, err)
	return answer.GetReplication()
}

func (m *machine) freeze() string {
	m.t.Helper()
	stream, err := m.client().Freeze(m.ctx(), &guestagentv1.FreezeRequest{Operation: newOperation()}, grpc.WaitForReady(true))
	require.NoError(m.t, err)
	for {
		answer, err := stream.Recv()
		require.NoError(m.t, err)
		if answer.GetProgress().GetDone() {
			return answer.GetPosition()
		}
	}
}

func (m *machine) unfreeze() error {
	return outcome(m.client().Unfreeze(m.ctx(), &guestagentv1.UnfreezeRequest{Operation: newOperation()}, grpc.WaitForReady(true)))
}

func (m *machine) promote() error {
	return outcome(m.client().Promote(m.ctx(), &guestagentv1.PromoteRequest{Operation: newOperation()}, grpc.WaitForReady(true)))
}

func (m *machine) follow(source *guestagentv1.Source) error {
	return outcome(m.client().FollowSource(m.ctx(), &guestagentv1.FollowSourceRequest{
		Operation: newOperation(), Source: source,
	}, grpc.WaitForReady(true)))
}

func (m *machine) awaitPosition(position string) {
	m.t.Helper()
	_, err := m.client().AwaitPosition(m.ctx(), &guestagentv1.AwaitPositionRequest{Position: position}, grpc.WaitForReady(true))
	require.NoError(m.t, err)
}

// awaitSame waits until a replica has what its source has.
func (m *machine) awaitSame(source *machine) {
	m.t.Helper()
	m.awaitPosition(source.replication().GetPosition())
}

func (m *machine) write(n int) error {
	_, err := m.connect("ann", password, "app").ExecContext(m.ctx(), fmt.Sprintf("INSERT INTO ledger VALUES (%d, 0)", n))
	return err
}

func (m *machine) numbers() []int {
	m.t.Helper()
	rows, err := m.connect("ann", password, "app").QueryContext(m.ctx(), "SELECT n FROM ledger ORDER BY n")
	require.NoError(m.t, err)
	defer rows.Close()
	numbers := []int{}
	for rows.Next() {
		var n int
		require.NoError(m.t, rows.Scan(&n))
		numbers = append(numbers, n)
	}
	require.NoError(m.t, rows.Err())
	return numbers
}

// killDatabase kills the database and waits until another process of it serves.
func (m *machine) killDatabase() {
	m.t.Helper()
	before := m.status().GetPid()
	for _, p := range m.databases() {
		require.NoError(m.t, proc.Kill(m.ctx(), p))
	}
	m.await(func(s *guestagentv1.DatabaseStatus) bool {
		return s.GetPid() != 0 && s.GetPid() != before && s.GetServiceStatus() == "HEALTHY"
	})
}

// killBoth kills agent and database, and waits until the next ones serve.
func (m *machine) killBoth() {
	m.t.Helper()
	m.endAgent(syscall.SIGKILL)
	for _, p := range m.databases() {
		require.NoError(m.t, proc.Kill(m.ctx(), p))
	}
	m.startAgent()
	m.await(func(s *guestagentv1.DatabaseStatus) bool { return s.GetServiceStatus() == "HEALTHY" })
}

// fill makes the database so many MiB large.
func (m *machine) fill(size int) {
	m.t.Helper()
	db := m.connect("ann", password, "app")
	_, err := db.ExecContext(m.ctx(), "CREATE TABLE large (n INT PRIMARY KEY, what TEXT)")
	require.NoError(m.t, err)
	for n := range size * 20 {
		_, err := db.ExecContext(m.ctx(), fmt.Sprintf("INSERT INTO large VALUES (%d, '%s')", n, strings.Repeat(rand.Text(), 2000)))
		require.NoError(m.t, err)
	}
}

// filesInVolume is how many files with something in them the volume has.
func (m *machine) filesInVolume() (count int) {
	m.t.Helper()
	_ = filepath.WalkDir(m.server.DataDir, func(_ string, item fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // files come and go
		}
		if info, err := item.Info(); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			count++
		}
		return nil
	})
	return count
}

// copyPortOpen says whether anybody could ask for a copy.
func (m *machine) copyPortOpen() bool {
	connection, err := net.DialTimeout("tcp", net.JoinHostPort(m.server.Address, "4444"), time.Second)
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}

// ledger writes numbered rows to whichever of a set accepts them, and remembers those that were acknowledged. A writer
// that is refused tries the others in turn every 5 ms. Four of them make some three hundred rows a second.
type ledger struct {
	t       *testing.T
	writers sync.WaitGroup
	cancel  context.CancelFunc

	mu           sync.Mutex
	acknowledged []int
	last         time.Time
	gap          time.Duration
}

func writeTo(t *testing.T, writers int, members ...*machine) *ledger {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &ledger{t: t, cancel: cancel, last: time.Now()}
	for w := range writers {
		connections := make([]*sql.DB, len(members))
		for i, m := range members {
			connections[i] = m.connect("ann", password, "app")
			connections[i].SetMaxOpenConns(1)
		}
		l.writers.Go(func() { l.write(ctx, w, writers, connections) })
	}
	t.Cleanup(func() { l.stop() })
	return l
}

func (l *ledger) write(ctx context.Context, writer, stride int, members []*sql.DB) {
	at := 0
	for n := 1000 + writer; ctx.Err() == nil; n += stride {
		for !l.try(ctx, members[at], n, writer) {
			at = (at + 1) % len(members)
			if !pause.For(ctx, 5*time.Millisecond) {
				return
			}
		}
		pause.For(ctx, 10*time.Millisecond)
	}
}

// try writes a row, or finds that it is there: an attempt whose answer was lost may have succeeded.
func (l *ledger) try(ctx context.Context, db *sql.DB, n, writer int) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := db.ExecContext(ctx, fmt.Sprintf("INSERT INTO ledger VALUES (%d, %d)", n, writer))
	if err != nil && !duplicate(err) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acknowledged = append(l.acknowledged, n)
	l.gap, l.last = max(l.gap, time.Since(l.last)), time.Now()
	return true
}

func duplicate(err error) bool {
	return strings.Contains(err.Error(), "Duplicate entry") || strings.Contains(err.Error(), "SQLSTATE 23505")
}

// written waits until so many more rows were acknowledged.
func (l *ledger) written(more int) {
	l.t.Helper()
	l.mu.Lock()
	goal := len(l.acknowledged) + more
	l.mu.Unlock()
	require.Eventually(l.t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.acknowledged) >= goal
	}, time.Minute, time.Millisecond)
}

// longestGap is the longest time between two acknowledgements since the last call.
func (l *ledger) longestGap() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	gap := l.gap
	l.gap = 0
	return gap
}

// stop ends the writers and gives what was acknowledged, sorted.
func (l *ledger) stop() []int {
	l.cancel()
	l.writers.Wait()
	slices.Sort(l.acknowledged)
	return l.acknowledged
}

// holds checks that a member has every acknowledged row.
func (l *ledger) holds(m *machine) {
	l.t.Helper()
	there := map[int]bool{}
	for _, n := range m.numbers() {
		there[n] = true
	}
	for _, n := range l.acknowledged {
		if !there[n] {
			assert.Fail(l.t, "an acknowledged row is lost", "%d at %s", n, m.server.Address)
		}
	}
}

// onlyWritable checks that of some members this one accepts writes, and no other.
func onlyWritable(t *testing.T, wanted *machine, members ...*machine) {
	t.Helper()
	for _, m := range members {
		assert.Equal(t, m == wanted, m.replication().GetWritable(), m.server.Address)
	}
}
