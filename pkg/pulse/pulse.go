// Package pulse has what a process does at intervals happen at the same moments. At rest a process costs what its
// wake-ups cost, so ten things to look at every five seconds are one wake-up, not ten.
//
//	look := time.NewTimer(pulse.Next(interval))
//	for range look.C {
//		look.Reset(pulse.Next(interval))
//		…
//	}
package pulse

import (
	"math/rand/v2"
	"time"
)

// phase keeps processes apart, which would otherwise all turn to the same api or database at once.
var phase = rand.Int64N(int64(time.Hour)) //nolint:gosec // no secret

// Next is how long it is to the next moment for what happens at the interval. It is the interval on the whole, and
// between a tenth of it and a tenth more at a time: what comes too early by a correction of the clock is not done twice.
func Next(interval time.Duration) time.Duration {
	left := interval - time.Duration((time.Now().UnixNano()+phase)%int64(interval))
	if left < interval/10 {
		left += interval
	}
	return left
}
