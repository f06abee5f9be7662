package e2e_test

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// creates is how many pairs are measured.
const creates = 10

// BenchmarkCreateInstance compares a create, from the POST to the first query that the request's user gets answered
// over TCP, with copying the same template and starting mariadbd by hand, in turns.
func BenchmarkCreateInstance(b *testing.B) {
	s := startServe(b, newDataDir(b))
	user := s.signIn("coffer")
	model := user.createReady("model")
	hand := newByHand(b, s, s.machine(model))
	events := user.follow(b)
	for b.Loop() {
		var ours, byHand []time.Duration
		for range creates {
			// Neither pays for what the other has left to be written.
			syscall.Sync()
			began := time.Now()
			made, created := user.create(newInstance("measured"))
			firstAnswer(b, "tcp", net.JoinHostPort(events.address(user, made.ID), "3306"), "shop")
			ours = append(ours, time.Since(began))
			events.success(created)
			events.success(user.delete(made.ID))

			syscall.Sync()
			began = time.Now()
			hand.create()
			byHand = append(byHand, time.Since(began))
			hand.remove()
		}
		noteRatio(b, "create to first query", ours, byHand, 1.5)
	}
}
