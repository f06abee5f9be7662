package e2e_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// replicas is how many pairs are measured.
const replicas = 10

// BenchmarkCreateReplica compares a replica of a source with some data, from the POST to the task's success on the event
// stream, with the engine's own tools by hand: copy, start, follow. In turns.
func BenchmarkCreateReplica(b *testing.B) {
	forEachMeasured(b, func(b *testing.B, d datastore) {
		s := startServe(b, newDataDir(b))
		user := s.signIn("coffer")
		source := user.createReadyOn(d, "source")
		handSource := newByHand(b, s, s.machine(source))
		handSource.create()
		hand := newByHand(b, s, s.machine(source))
		for _, m := range []machine{s.machine(source), handSource.machine()} {
			m.fill()
		}
		events := user.follow(b)
		var ours, byHand []time.Duration
		for b.Loop() {
			for range replicas {
				syscall.Sync()
				began := time.Now()
				made, created := user.create(map[string]any{"instance": map[string]any{"name": "replica", "replica_of": source.ID}})
				ours = append(ours, events.success(created).Sub(began))
				events.success(user.delete(made.ID))

				syscall.Sync()
				began = time.Now()
				hand.createReplica(handSource)
				byHand = append(byHand, time.Since(began))
				hand.remove()
			}
		}
		noteRatio(b, "create replica of 20 MB to success on the event stream, "+d.name, ours, byHand, 1.5)
		handSource.remove()
	})
}

// fill makes a table of 20 MB.
func (m machine) fill() {
	m.t.Helper()
	rows := map[string]string{
		mariadb.name:    "SELECT seq AS id, REPEAT('x', 1000) AS body FROM seq_1_to_20000",
		postgresql.name: "SELECT id, repeat('x', 1000) AS body FROM generate_series(1, 20000) AS id",
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := m.open().ExecContext(ctx, "CREATE TABLE filling AS "+rows[m.datastore.name])
	require.NoError(m.t, err)
}
