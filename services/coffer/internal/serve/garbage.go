package serve

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// garbageAllowance is how many bytes of garbage there may be, or as many as are in use if that is more. What is in use
	// is small, and to collect takes a good part of a small machine's processors for ten milliseconds and more, from
	// whichever requests come then.
	garbageAllowance = 128 << 20
	// leastInUse is taken where less is in use, as at the start.
	leastInUse = 16 << 20
	// garbageLook is how often it is looked how much is in use.
	garbageLook = time.Minute
)

// allowGarbage has the collector keep to the allowance until the context ends. GOGC, where it is set, stands.
func allowGarbage(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		<-ctx.Done()
		return nil
	}
	look := time.NewTicker(garbageLook)
	defer look.Stop()
	for {
		debug.SetGCPercent(garbagePercent(inUse()))
		select {
		case <-look.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// garbagePercent is the allowance as the collector wants it: in percent of what is in use.
func garbagePercent(used uint64) int {
	return int(max(100, 100*garbageAllowance/max(used, leastInUse))) //nolint:gosec // at most 800
}

// inUse is what the last collection has left, in bytes; 0 before the first one.
func inUse() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
