package e2e_test

import (
	"syscall"
	"testing"
	"time"
)

// creates is how many pairs are measured.
const creates = 10

// createBars is MariaDB's alone: PostgreSQL makes a database by copying another, which a busy disk slows down.
var createBars = map[string]float64{mariadb.name: 1.5}

// BenchmarkCreateInstance compares a create, from the POST to the first query that the request's user gets answered
// over TCP in the request's database, with copying the same template, starting the server and making both by hand, in
// turns.
func BenchmarkCreateInstance(b *testing.B) {
	forEachMeasured(b, func(b *testing.B, d datastore) {
		s := startServe(b, newDataDir(b))
		user := s.signIn("coffer")
		model := user.createReadyOn(d, "model")
		hand := newByHand(b, s, s.machine(model))
		events := user.follow(b)
		var ours, byHand []time.Duration
		for b.Loop() {
			for range creates {
				// Neither pays for what the other has left to be written.
				syscall.Sync()
				began := time.Now()
				made, created := user.create(d.newInstance("measured"))
				firstAnswer(b, d, events.address(user, made.ID))
				ours = append(ours, time.Since(began))
				events.success(created)
				events.success(user.delete(made.ID))

				syscall.Sync()
				began = time.Now()
				hand.create()
				byHand = append(byHand, time.Since(began))
				hand.remove()
			}
		}
		noteRatio(b, "create to first query, "+d.name, ours, byHand, createBars[d.name])
	})
}
