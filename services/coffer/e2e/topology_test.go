package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// probeEvery is how often each member is asked to write.
const probeEvery = 20 * time.Millisecond

// TestASetStaysOneWhateverIsDoneToIt takes walks of things that are done to a set, with kills in between, while every member
// is asked to write all the time: never do two write at the same time, never is a row lost that was on the elected replica,
// and every task ends.
func TestASetStaysOneWhateverIsDoneToIt(t *testing.T) {
	t.Parallel()
	forEachDatastore(t, func(t *testing.T, d datastore) {
		for _, seed := range seedsOf(t, d) {
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
				t.Parallel()
				newTopology(t, d).play(walkOf(seed))
			})
		}
	})
}

// topology is a set under test.
type topology struct {
	t      *testing.T
	d      datastore
	serve  *serve
	user   *client
	source string
	// members are the instances of the set, the oldest first.
	members []instance
	probes  map[string]*probe
	made    int
}

func newTopology(t *testing.T, d datastore) *topology {
	p := &topology{t: t, d: d, probes: map[string]*probe{}}
	p.start(newDataDir(t))
	made, id := p.user.create(d.newInstance("source"))
	p.user.awaitSuccess(id)
	p.source = made.ID
	p.enter(p.user.show(made.ID))
	_, err := p.machine(p.source).open().Exec("CREATE TABLE ledger (entry " + d.serial + ", number BIGINT NOT NULL)")
	require.NoError(t, err)
	p.probe(p.source)
	return p
}

func (p *topology) start(dataDir string) {
	p.serve = startServe(p.t, dataDir, soon(), withEnv("COFFER_API_QUOTA_INSTANCES=-1", "COFFER_API_QUOTA_VOLUMES=-1"))
	p.user = p.serve.signIn("coffer")
}

func (p *topology) enter(i instance) { p.members = append(p.members, i) }

func (p *topology) forget(id string) {
	p.members = slices.DeleteFunc(p.members, func(i instance) bool { return i.ID == id })
}

// machine is that of a member.
func (p *topology) machine(id string) machine {
	p.t.Helper()
	at := slices.IndexFunc(p.members, func(i instance) bool { return i.ID == id })
	require.GreaterOrEqual(p.t, at, 0, "%s is no member", id)
	return p.serve.machine(p.members[at])
}

// ids are the members, the oldest first, but for some.
func (p *topology) ids(but ...string) []string {
	var ids []string
	for _, member := range p.members {
		if !slices.Contains(but, member.ID) {
			ids = append(ids, member.ID)
		}
	}
	return ids
}

// replicas are the ids of all but the source.
func (p *topology) replicas() []string { return p.ids(p.source) }

func (p *topology) play(walk []stride) {
	for n, s := range walk {
		// The set is smaller than planned where a move has failed.
		if len(p.members) == 1 {
			s.move = grow
		}
		p.t.Logf("%d: %s, and %s is killed after %s", n, s.move, s.kill, s.after)
		switch s.move {
		case grow:
			p.grow(s)
		case promote:
			p.promote(s)
		case eject:
			p.eject(s)
		case detach:
			p.detach(s)
		case shrink:
			p.shrink(s)
		}
		p.check(n)
	}
	for _, probe := range p.probes {
		probe.end()
	}
}

// replica is the one that a move is about.
func (p *topology) replica(s stride) string {
	all := p.replicas()
	return all[s.replica%len(all)]
}

// disturb kills something while a task runs. The spared member is never what is killed.
func (p *topology) disturb(s stride, spared string) {
	time.Sleep(s.after)
	switch s.kill {
	case controlPlane:
		dataDir := p.serve.dataDir
		p.serve.kill()
		p.start(dataDir)
	case agent:
		p.killOne(s, spared, "coffer-guestagent")
	case database:
		p.killOne(s, spared, p.d.program)
	case nothing:
	}
}

func (p *topology) killOne(s stride, spared, program string) {
	ids := p.ids(spared)
	if len(ids) == 0 {
		return
	}
	victim := ids[s.victim%len(ids)]
	for _, pid := range p.machine(victim).pidsOf(program) {
		p.t.Logf("  %s of %s is killed", program, victim)
		killed(p.t, pid)
	}
}

func (p *topology) grow(s stride) {
	p.made++
	p.t.Logf("  a replica of %s is made", p.source)
	got := p.user.call(http.MethodPost, "/instances", map[string]any{"instance": map[string]any{
		"name": fmt.Sprintf("replica-%d", p.made), "replica_of": p.source,
	}})
	if p.refused(got) {
		return
	}
	require.Equal(p.t, http.StatusOK, got.code, string(got.body))
	made := instanceIn(p.t, got)
	p.disturb(s, "")
	if ended := p.user.awaitEnd(taskOf(p.t, got)); ended.Status != "SUCCEEDED" {
		p.t.Logf("  failed: %+v", ended.Error)
		p.user.awaitSuccess(p.user.delete(made.ID))
		return
	}
	p.enter(p.user.show(made.ID))
	p.probe(made.ID)
}

func (p *topology) promote(s stride) {
	replica := p.replica(s)
	p.t.Logf("  %s is promoted", replica)
	got := p.user.call(http.MethodPost, "/instances/"+replica+"/action",
		map[string]any{"promote_to_replica_source": map[string]any{}})
	if p.refused(got) {
		return
	}
	require.Equal(p.t, http.StatusAccepted, got.code, string(got.body))
	p.disturb(s, "")
	ended := p.user.awaitEnd(taskOf(p.t, got))
	p.t.Logf("  %s %+v", ended.Status, ended.Error)
	if p.user.show(replica).ReplicaOf == nil {
		p.source = replica
	}
	p.heal()
}

// refused says whether a move was, since something is being brought up after a kill.
func (p *topology) refused(got answer) bool {
	if got.code != http.StatusUnprocessableEntity {
		return false
	}
	p.t.Logf("  refused: %s", got.body)
	return true
}

func (p *topology) eject(s stride) {
	old := p.source
	p.t.Logf("  %s dies and is ejected", old)
	p.machine(old).powerOff()
	p.probes[old].end()
	p.forget(old)
	taskID := p.user.eject(old)
	p.disturb(s, "")
	p.user.awaitSuccess(taskID)
	for _, id := range p.ids() {
		if p.user.show(id).ReplicaOf == nil {
			p.source = id
		}
	}
	require.NotEqual(p.t, old, p.source)
	// The kill may have struck the elected one.
	p.machine(p.source).awaitWritable()
	// Asynchronous replication may lose what the dead source acknowledged last: what the elected one has counts.
	p.forgive(p.numbers())
	p.user.awaitSuccess(p.user.delete(old))
	p.heal()
}

func (p *topology) detach(s stride) {
	replica := p.replica(s)
	p.t.Logf("  %s is detached and deleted", replica)
	got := p.user.call(http.MethodPut, "/instances/"+replica, map[string]any{"instance": map[string]any{"replica_of": nil}})
	if p.refused(got) {
		return
	}
	require.Equal(p.t, http.StatusAccepted, got.code, string(got.body))
	// From now on it is a database of its own, whose rows count no more.
	p.probes[replica].end()
	p.disturb(s, "")
	p.user.awaitSuccess(taskOf(p.t, got))
	p.probes[replica].discard()
	p.user.awaitSuccess(p.user.delete(replica))
	p.forget(replica)
}

func (p *topology) shrink(s stride) {
	replica := p.replica(s)
	p.t.Logf("  %s is deleted", replica)
	p.probes[replica].end()
	taskID := p.user.delete(replica)
	p.disturb(s, replica)
	p.user.awaitSuccess(taskID)
	p.forget(replica)
}

// heal brings members back that a task left in ERROR by themselves: they are deleted, as their fault says.
func (p *topology) heal() {
	for _, id := range p.ids() {
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
	for _, id := range p.ids() {
		p.machine(id).awaitWhole()
		p.user.awaitOperating(id, "HEALTHY")
	}
	p.user.assertSet(p.source, p.replicas()...)
	p.serve.assertOnlyWriter(p.source, p.members)
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
	rows, err := p.machine(p.source).open().QueryContext(ctx, "SELECT number FROM ledger")
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
