package monitor

import (
	"crypto/sha256"
	"encoding/binary"
)

// owner is the worker to which a guest falls; empty when nobody lives.
func owner(workers []string, instanceID string) string {
	best, highest := "", uint64(0)
	for _, worker := range workers {
		sum := sha256.Sum256([]byte(worker + "\x00" + instanceID))
		weight := binary.BigEndian.Uint64(sum[:8])
		if best == "" || weight > highest || weight == highest && worker < best {
			best, highest = worker, weight
		}
	}
	return best
}
