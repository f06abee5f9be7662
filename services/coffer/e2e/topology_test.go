package e2e_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	// topologyMoves is how many things are done to a set.
	topologyMoves = 6
	// topologyMembers is how large the set may become.
	topologyMembers = 3
	// probeEvery is how often each member is asked to write.
	probeEvery = 20 * time.Millisecond
	// topologySeed names the environment variable that repeats a sequence.
	topologySeed = "COFFER_E2E_SEED"
)

// TestASetStaysOneWhateverIsDoneToIt does random things to a set, with kills in between, while every member is asked to
// write all the time: never do two write at the same time, never is a row lost that was on the elected replica, and every
// task ends.
func TestASetStaysOneWhateverIsDoneToIt(t *testing.T) {
	forEachDatastore(t, func(t *testing.T, d datastore) {
		seed := uint64(time.Now().UnixNano())
		if given := os.Getenv(topologySeed); given != "" {
			var err error
			seed, err = strconv.ParseUint(given, 10, 64)
			require.NoError(t, err)
		}
		t.Logf("%s=%d", topologySeed, seed)
		newTopology(t, d, rand.New(rand.NewPCG(seed, 0))).play()
	})
}

// topology is a set under test.
type topology struct {
	t      *testing.T
	d      datastore
	rng    *rand.Rand
	serve  *serve
	user   *client
	admin  *client
	source string
	// members are the instances of the set, by id.
	members map[string]instance
	probes  map[string]*probe
	made    int
}

func newTopology(t *testing.T, d datastore, rng *rand.Rand) *topology {
	p := &topology{t: t, d: d, rng: rng, members: map[string]instance{}, probes: map[string]*probe{}}
	p.start(newDataDir(t))
	made, id := p.user.create(d.newInstance("source"))
	p.user.awaitSuccess(id)
	p.source = made.ID
	p.enter(p.user.show(made.ID))
	_, err := p.serve.machine(p.members[p.source]).open().Exec("CREATE TABLE ledger (entry " + d.serial + ", number BIGINT NOT NULL)")
	require.NoError(t, err)
	p.probe(p.source)
	return p
}

func (p *topology) start(dataDir string) {
	p.serve = startServe(p.t, dataDir, soon(), withEnv("COFFER_API_QUOTA_INSTANCES=-1", "COFFER_API_QUOTA_VOLUMES=-1"))
	p.user, p.admin = p.serve.signIn("coffer"), p.serve.signIn("coffer-admin")
}

func (p *topology) enter(i instance) { p.members[i.ID] = i }

func (p *topology) play() {
	moves := []func(){p.grow, p.grow, p.promote, p.promote, p.promote, p.eject, p.detach, p.shrink}
	for n := range topologyMoves {
		if len(p.members) == 1 {
			p.grow()
		} else {
			moves[p.rng.IntN(len(moves))]()
		}
		p.check(n)
	}
	for _, probe := range p.probes {
		probe.end()
	}
}

// replicas are the ids of all but the source.
func (p *topology) replicas() []string {
	ids := slices.Sorted(maps.Keys(p.members))
	return slices.DeleteFunc(ids, func(id string) bool { return id == p.source })
}

func (p *topology) anyReplica() string {
	all := p.replicas()
	return all[p.rng.IntN(len(all))]
}

// disturb kills something while a task runs: the control plane, a guest agent, a database, or nothing.
func (p *topology) disturb(spared string) {
	ids := slices.Sorted(maps.Keys(p.members))
	victim := ids[p.rng.IntN(len(ids))]
	time.Sleep(time.Duration(p.rng.IntN(300)) * time.Millisecond) // a random instant is the point of it
	switch p.rng.IntN(4) {
	case 0:
		p.t.Log("  the control plane is killed")
		dataDir := p.serve.dataDir
		p.serve.kill()
		p.start(dataDir)
	case 1:
		p.killOne(victim, spared, "coffer-guestagent")
	case 2:
		p.killOne(victim, spared, p.d.program)
	}
}

func (p *topology) killOne(victim, spared, program string) {
	if victim == spared {
		return
	}
	pids := p.serve.machine(p.members[victim]).pidsOf(program)
	if len(pids) == 0 {
		return
	}
	p.t.Logf("  %s of %s is killed", program, victim)
	if err := syscall.Kill(slices.Min(pids), syscall.SIGKILL); err != nil {
		require.ErrorIs(p.t, err, syscall.ESRCH)
	}
}

func (p *topology) grow() {
	if len(p.members) == topologyMembers {
		return
	}
	p.made++
	p.t.Logf("a replica of %s is made", p.source)
	got := p.user.call(http.MethodPost, "/instances", map[string]any{"instance": map[string]any{
		"name": fmt.Sprintf("replica-%d", p.made), "replica_of": p.source,
	}})
	if got.code == http.StatusUnprocessableEntity {
		return // the source is being brought up after a kill
	}
	require.Equal(p.t, http.StatusOK, got.code, string(got.body))
	made := instanceIn(p.t, got)
	p.disturb("")
	if ended := p.user.awaitEnd(taskOf(p.t, got)); ended.Status != "SUCCEEDED" {
		p.t.Logf("  failed: %+v", ended.Error)
		p.user.awaitSuccess(p.user.delete(made.ID))
		return
	}
	p.enter(p.user.show(made.ID))
	p.probe(made.ID)
}

func (p *topology) promote() {
	replica := p.anyReplica()
	p.t.Logf("%s is promoted", replica)
	taskID, ok := p.order(replica, "promote_to_replica_source")
	if !ok {
		return
	}
	p.disturb("")
	ended := p.user.awaitEnd(taskID)
	p.t.Logf("  %s %+v", ended.Status, ended.Error)
	if p.user.show(replica).ReplicaOf == nil {
		p.source = replica
	}
	p.heal()
}

// order sends an action, which may be refused while something is brought up after a kill.
func (p *topology) order(id, action string) (taskID string, ok bool) {
	got := p.user.call(http.MethodPost, "/instances/"+id+"/action", map[string]any{action: map[string]any{}})
	if got.code == http.StatusUnprocessableEntity {
		p.t.Logf("  refused: %s", got.body)
		return "", false
	}
	require.Equal(p.t, http.StatusAccepted, got.code, string(got.body))
	return taskOf(p.t, got), true
}

func (p *topology) eject() {
	old := p.source
	p.t.Logf("%s dies and is ejected", old)
	for _, pid := range processesOf(p.t, p.serve.machine(p.members[old]).folder) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			require.ErrorIs(p.t, err, syscall.ESRCH)
		}
	}
	p.probes[old].end()
	ended := p.user.eject(old)
	p.t.Logf("  %s", ended.Status)
	p.forget(old)
	for _, id := range p.replicas() {
		if p.user.show(id).ReplicaOf == nil {
			p.source = id
		}
	}
	require.NotEqual(p.t, old, p.source)
	// Asynchronous replication may lose what the dead source acknowledged last: what the elected one has counts.
	p.forgive(p.numbers())
	p.user.awaitSuccess(p.user.delete(old))
	p.heal()
}

func (p *topology) detach() {
	replica := p.anyReplica()
	p.t.Logf("%s is detached and deleted", replica)
	got := p.user.call(http.MethodPut, "/instances/"+replica, map[string]any{"instance": map[string]any{"replica_of": nil}})
	if got.code == http.StatusUnprocessableEntity {
		return
	}
	require.Equal(p.t, http.StatusAccepted, got.code, string(got.body))
	// From now on it is a database of its own, whose rows count no more.
	p.probes[replica].end()
	ended := p.user.awaitEnd(taskOf(p.t, got))
	require.Equal(p.t, "SUCCEEDED", ended.Status, "%+v", ended)
	p.probes[replica].discard()
	p.user.awaitSuccess(p.user.delete(replica))
	p.forget(replica)
}

func (p *topology) shrink() {
	replica := p.anyReplica()
	p.t.Logf("%s is deleted", replica)
	p.probes[replica].end()
	taskID := p.user.delete(replica)
	p.disturb(replica)
	p.user.awaitSuccess(taskID)
	p.forget(replica)
}

func (p *topology) forget(id string) {
	delete(p.members, id)
}

// heal brings members back that a task left in ERROR by themselves: they are deleted, as their fault says.
func (p *topology) heal() {
	for _, id := range slices.Sorted(maps.Keys(p.members)) {
		shown := p.user.show(id)
		if shown.Status != "ERROR" {
			continue
		}
		p.t.Logf("  %s was left behind: %+v", id, shown.Fault)
		require.NotEqual(p.t, p.source, id, "the source is in ERROR")
		p.probes[id].end()
		p.user.awaitSuccess(p.user.delete(id))
		p.forget(id)
	}
}

// check waits until all is quiet, and compares the set with what must be.
func (p *topology) check(move int) {
	for id := range p.members {
		p.user.awaitOperating(id, "HEALTHY")
	}
	p.user.assertSet(p.source, p.replicas()...)
	all := slices.Collect(maps.Values(p.members))
	assert.Equal(p.t, []string{p.source}, p.serve.writable(all), "after move %d", move)
	p.checkTenures(move)
	taken := map[int64]string{}
	for _, probe := range p.probes {
		for number := range probe.taken() {
			taken[number] = probe.id
		}
	}
	present := p.numbers()
	for number, id := range taken {
		require.True(p.t, present[number], "row %d, written at %s, is lost after move %d", number, id, move)
	}
}

// checkTenures fails when, since the last look, one member wrote, then another one, and then the first again: each move
// hands the writing over at most once.
func (p *topology) checkTenures(move int) {
	var writes []tenure
	for _, probe := range p.probes {
		writes = append(writes, probe.recent()...)
	}
	slices.SortFunc(writes, func(a, b tenure) int { return a.first.Compare(b.first) })
	// over is when a member had acknowledged a write after which another one acknowledged one that began later.
	over := map[string]time.Time{}
	last := map[string]time.Time{}
	for _, w := range writes {
		ended, was := over[w.id]
		assert.False(p.t, was && ended.Before(w.first), "move %d: %s wrote after another member had taken over", move, w.id)
		for other, at := range last {
			if other != w.id && at.Before(w.first) {
				if _, known := over[other]; !known {
					over[other] = w.last
				}
			}
		}
		last[w.id] = w.last
	}
}

// numbers are the rows of the source's ledger.
func (p *topology) numbers() map[int64]bool {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	rows, err := p.serve.machine(p.members[p.source]).open().QueryContext(ctx, "SELECT number FROM ledger")
	require.NoError(p.t, err)
	defer func() { require.NoError(p.t, rows.Close()) }()
	found := map[int64]bool{}
	for rows.Next() {
		var number int64
		require.NoError(p.t, rows.Scan(&number))
		found[number] = true
	}
	require.NoError(p.t, rows.Err())
	return found
}

// forgive drops what is no longer expected to be there.
func (p *topology) forgive(present map[int64]bool) {
	for _, probe := range p.probes {
		probe.keep(present)
	}
}

// probe asks one member to write, all the time.
type probe struct {
	id   string
	stop context.CancelFunc
	done sync.WaitGroup

	mu     sync.Mutex
	number int64
	rows   map[int64]bool
	times  []tenure
}

// tenure is a stretch of writes that were acknowledged.
type tenure struct {
	id          string
	first, last time.Time
}

func (p *topology) probe(id string) {
	ctx, stop := context.WithCancel(context.Background())
	pr := &probe{id: id, stop: stop, rows: map[int64]bool{}, number: int64(len(p.probes)+1) << 32}
	p.probes[id] = pr
	m := p.serve.machine(p.members[id])
	pr.done.Go(func() { pr.run(ctx, m) })
	p.t.Cleanup(pr.end)
}

func (pr *probe) run(ctx context.Context, m machine) {
	db := m.connect()
	db.SetMaxOpenConns(1)
	defer func() { _ = db.Close() }() // the test is over
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		pr.write(ctx, m, db)
	}
}

func (pr *probe) write(ctx context.Context, m machine, db *sql.DB) {
	ctx, cancel := context.WithTimeout(ctx, ledgerPatience)
	defer cancel()
	pr.number++
	began := time.Now()
	if _, err := db.ExecContext(ctx, "INSERT INTO ledger (number) VALUES ("+m.datastore.parameter+")", pr.number); err != nil {
		return
	}
	ended := time.Now()
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.rows[pr.number] = true
	pr.times = append(pr.times, tenure{pr.id, began, ended})
}

// taken are the rows that were acknowledged.
func (pr *probe) taken() map[int64]bool {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	return maps.Clone(pr.rows)
}

// recent are the acknowledged writes since the last call.
func (pr *probe) recent() []tenure {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	times := pr.times
	pr.times = nil
	return times
}

func (pr *probe) keep(present map[int64]bool) {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	maps.DeleteFunc(pr.rows, func(number int64, _ bool) bool { return !present[number] })
}

// discard forgets what was written since the last look.
func (pr *probe) discard() {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.rows, pr.times = map[int64]bool{}, nil
}

func (pr *probe) end() {
	pr.stop()
	pr.done.Wait()
}
