package e2e_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

// growths is how many pairs are measured.
const growths = 20

// BenchmarkResizeVolume compares a volume's growth by 1 GiB under a running database, from the POST to the task's success
// on the event stream, with the same by hand: truncate, losetup -c and the file system's own program, in turns.
func BenchmarkResizeVolume(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("a volume is a folder here: by hand there is nothing to do")
	}
	forEachMeasured(b, func(b *testing.B, d datastore) {
		s := startServe(b, newDataDir(b), withEnv(
			fmt.Sprintf("COFFER_API_MAX_ACCEPTED_VOLUME_SIZE=%d", 1<<20), "COFFER_API_QUOTA_VOLUMES=-1",
		))
		user := s.signIn("coffer")
		made := user.createReadyOn(d, "grown")
		hand := newByHand(b, s, s.machine(made))
		hand.create()
		events := user.follow(b)
		var ours, byHand []time.Duration
		size := 1
		for b.Loop() {
			for range growths {
				size++
				syscall.Sync()
				began := time.Now()
				grown := user.act(made.ID, map[string]any{"resize": map[string]any{"volume": map[string]any{"size": size}}})
				ours = append(ours, events.success(grown).Sub(began))

				syscall.Sync()
				began = time.Now()
				hand.volume.grow(size)
				byHand = append(byHand, time.Since(began))
			}
		}
		noteRatio(b, "resize volume to success on the event stream, "+d.name, ours, byHand, 0)
		hand.remove()
	})
}
