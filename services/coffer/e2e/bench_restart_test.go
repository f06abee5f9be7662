package e2e_test

import (
	"syscall"
	"testing"
	"time"
)

// restarts is how many pairs are measured.
const restarts = 40

// BenchmarkRestartInstance compares a restart, from the POST to the task's success on the event stream, with the signal,
// wait, start and first answer by hand, in turns.
func BenchmarkRestartInstance(b *testing.B) {
	forEachMeasured(b, func(b *testing.B, d datastore) {
		s := startServe(b, newDataDir(b))
		user := s.signIn("coffer")
		made := user.createReadyOn(d, "restarted")
		hand := newByHand(b, s, s.machine(made))
		hand.create()
		// The first start is another matter: it sizes the redo log.
		hand.restart()
		events := user.follow(b)
		var ours, byHand []time.Duration
		for b.Loop() {
			for range restarts {
				syscall.Sync()
				began := time.Now()
				restarted := user.restart(made.ID)
				ours = append(ours, events.success(restarted).Sub(began))

				syscall.Sync()
				began = time.Now()
				hand.restart()
				byHand = append(byHand, time.Since(began))
			}
		}
		noteRatio(b, "restart to success on the event stream, "+d.name, ours, byHand, 1.15)
		hand.remove()
	})
}
