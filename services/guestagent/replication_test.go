package guestagent_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

func TestAReplicaIsCopiedFromASourceThatIsWrittenTo(t *testing.T) {
	forEachReplicatingKind(t, func(t *testing.T, k kind) {
		m := sourceOf(t, k)
		l := writeTo(t, 4, m)
		l.written(50)
		r := replicaOf(t, m)
		l.written(50)
		l.stop()
		r.awaitSame(m)
		l.holds(r)
		assert.Equal(t, m.numbers(), r.numbers())

		require.Error(t, r.write(1))
		now := r.replication()
		assert.Equal(t, guestagentv1.ReplicationRole_REPLICATION_ROLE_REPLICA, now.GetRole())
		assert.Equal(t, m.id, now.GetSourceInstanceId())
		assert.True(t, now.GetStreaming(), now.GetMessage())
		onlyWritable(t, m, m, r)
		assert.False(t, m.copyPortOpen(), "the port is open only for a copy that was announced")

		// A ticket is good once, and data are given up only when that is said.
		used := m.admit(r, "")
		used.CopyAddress, used.Ticket = m.server.Address+":4444", "ticket of "+r.id
		assert.True(t, errs.IsReason(r.prepareReplica(newOperation(), used, false), "DATA_EXISTS"))
	})
}

func TestASwitchUnderWritesLosesNothing(t *testing.T) {
	forEachReplicatingKind(t, func(t *testing.T, k kind) {
		m := sourceOf(t, k)
		r, o := replicaOf(t, m), replicaOf(t, m)
		l := writeTo(t, 4, m, r, o)
		for range 3 {
			l.written(100)
			forM, forO := r.admit(m, ""), r.admit(o, "")
			r.awaitSame(m)
			l.longestGap()
			began := time.Now()
			position := m.freeze()
			frozen := time.Since(began)
			r.awaitPosition(position)
			reached := time.Since(began)
			require.NoError(t, r.promote())
			promoted := time.Since(began)
			l.written(10)
			t.Logf("%s: frozen after %s, caught up after %s, promoted after %s; longest gap between acknowledgements %s",
				k.manager, frozen, reached, promoted, l.longestGap())
			require.NoError(t, m.follow(forM))
			require.NoError(t, o.follow(forO))
			onlyWritable(t, r, m, r, o)
			m, r, o = r, o, m
		}
		l.written(100)
		l.stop()
		for _, replica := range []*machine{r, o} {
			replica.awaitSame(m)
			l.holds(replica)
			assert.Equal(t, m.numbers(), replica.numbers())
		}
	})
}

func TestAFrozenSourceStaysFrozenOverEveryDeath(t *testing.T) {
	forEachReplicatingKind(t, func(t *testing.T, k kind) {
		m := sourceOf(t, k)
		l := writeTo(t, 2, m)
		l.written(20)
		position := m.freeze()
		l.stop()
		refused := func(what string) {
			t.Helper()
			require.Error(t, m.write(1), what)
			now := m.replication()
			assert.False(t, now.GetWritable(), what)
			assert.Equal(t, guestagentv1.ReplicationRole_REPLICATION_ROLE_FROZEN, now.GetRole(), what)
			assert.Equal(t, position, now.GetPosition(), what)
		}
		refused("after the freeze")
		m.endAgent(syscall.SIGKILL)
		require.Error(t, m.write(1))
		m.startAgent()
		refused("beside another agent")
		if k.readsFrozen {
			rows := m.numbers()
			m.killDatabase()
			refused("of another process")
			m.killBoth()
			refused("after the death of both")
			assert.Equal(t, rows, m.numbers())
		} else {
			assert.Empty(t, m.databases())
		}

		require.NoError(t, m.unfreeze())
		l.holds(m)
		require.NoError(t, m.write(1))
		require.NoError(t, m.unfreeze())
	})
}

func TestRolesOutliveRestarts(t *testing.T) {
	forEachReplicatingKind(t, func(t *testing.T, k kind) {
		m := sourceOf(t, k)
		r := replicaOf(t, m)
		require.NoError(t, m.write(1))
		r.killBoth()
		require.NoError(t, m.write(2))
		r.awaitSame(m)
		require.Error(t, r.write(3))
		assert.Equal(t, []int{1, 2}, r.numbers())

		// Detached, it is a source of its own for good.
		require.NoError(t, r.promote())
		require.NoError(t, r.write(3))
		require.NoError(t, r.promote())
		r.killBoth()
		require.NoError(t, r.write(4))
		require.NoError(t, m.write(5))
		assert.Equal(t, []int{1, 2, 3, 4}, r.numbers())
		assert.Empty(t, r.replication().GetSourceInstanceId())
		assert.True(t, errs.IsReason(r.follow(m.admit(r, "")), "IS_SOURCE"))
	})
}

func TestWhatASourceNeverHadIsGivenUpOnlyForACopy(t *testing.T) {
	forEachReplicatingKind(t, func(t *testing.T, k kind) {
		m := sourceOf(t, k)
		r := replicaOf(t, m)
		require.NoError(t, m.write(1))
		r.awaitSame(m)
		require.NoError(t, r.promote())
		for n := 10; n < 15; n++ {
			require.NoError(t, r.write(n))
		}
		require.NoError(t, m.write(2)) // what the promotion of r has lost
		m.freeze()

		admitted := r.admit(m, "")
		err := m.follow(admitted)
		require.True(t, errs.IsReason(err, "DIVERGED"), "%v", err)
		if k.readsFrozen {
			assert.Equal(t, []int{1, 2}, m.numbers(), "nothing is given up yet")
		}
		require.NoError(t, m.prepareReplica(newOperation(), r.admit(m, "another"), true))
		m.awaitSame(r)
		assert.Equal(t, []int{1, 10, 11, 12, 13, 14}, m.numbers())
		onlyWritable(t, r, m, r)
	})
}

func TestACutCopyIsNeverServedAndStartsOver(t *testing.T) {
	forEachReplicatingKind(t, func(t *testing.T, k kind) {
		m := sourceOf(t, k)
		m.fill(64)
		cuts := map[string]func(*machine){
			"the replica's agent dies":   func(r *machine) { r.endAgent(syscall.SIGKILL); r.startAgent() },
			"the source's database dies": func(*machine) { m.killDatabase() },
		}
		if k.sendsCopies {
			cuts["the source's agent dies"] = func(*machine) { m.endAgent(syscall.SIGKILL); m.startAgent() }
		}
		for name, cut := range cuts {
			t.Run(name, func(t *testing.T) {
				r := fresh(t, k)
				operation := newOperation()
				source := m.admit(r, "first of "+r.id)
				outcomes := make(chan error, 1)
				go func() { outcomes <- r.prepareReplica(operation, source, false) }()
				require.Eventually(t, func() bool { return r.filesInVolume() > 2 }, time.Minute, time.Millisecond)
				cut(r)
				require.Error(t, <-outcomes)
				assert.Empty(t, r.databases())

				require.NoError(t, r.prepareReplica(operation, m.admit(r, "second of "+r.id), false))
				require.NoError(t, r.prepareReplica(operation, m.admit(r, ""), false), "what is whole is not copied again")
				r.awaitSame(m)
				assert.Equal(t, m.numbers(), r.numbers())
			})
		}
	})
}
