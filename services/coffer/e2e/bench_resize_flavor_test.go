package e2e_test

import (
	"syscall"
	"testing"
	"time"
)

// resizes is how many pairs are measured.
const resizes = 10

// BenchmarkResizeFlavor compares another flavor, from the POST to the task's success on the event stream, with stopping
// the database, changing the same settings, starting it and getting a first answer by hand, in turns. An instance's whole
// server is restarted; by hand there is none around the database.
func BenchmarkResizeFlavor(b *testing.B) {
	forEachMeasured(b, func(b *testing.B, d datastore) {
		s := startServe(b, newDataDir(b))
		user := s.signIn("coffer")
		made := user.createReadyOn(d, "resized")
		hand := newByHand(b, s, s.machine(made))
		hand.create()
		events := user.follow(b)
		resize := func(flavor string) time.Duration {
			syscall.Sync()
			began := time.Now()
			resized := user.act(made.ID, map[string]any{"resize": map[string]any{"flavorRef": flavor}})
			return events.success(resized).Sub(began)
		}
		resizeByHand := func() time.Duration {
			syscall.Sync()
			began := time.Now()
			hand.stop()
			hand.takeSettings(s.machine(made))
			hand.start()
			return time.Since(began)
		}
		var ours, byHand []time.Duration
		for b.Loop() {
			for range resizes / 2 {
				for _, flavor := range []string{"2", "1"} {
					ours = append(ours, resize(flavor))
					byHand = append(byHand, resizeByHand())
				}
			}
		}
		noteRatio(b, "resize flavor to success on the event stream, "+d.name, ours, byHand, 0)
		hand.remove()
	})
}
