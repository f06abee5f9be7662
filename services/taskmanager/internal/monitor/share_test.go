package monitor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSharesAreEvenAndMoveOnlyWhenTheirOwnerGoes(t *testing.T) {
	workers := []string{"tm1", "tm2", "tm3", "tm4"}
	const guests = 4000
	counts := map[string]int{}
	for n := range guests {
		id := fmt.Sprintf("instance-%d", n)
		before := owner(workers, id)
		counts[before]++
		if after := owner(workers[:3], id); before != "tm4" {
			assert.Equal(t, before, after)
		}
		assert.Equal(t, before, owner([]string{"tm4", "tm3", "tm2", "tm1"}, id), "order does not count")
	}
	for worker, count := range counts {
		assert.InDelta(t, guests/len(workers), count, guests/20, worker)
	}
	assert.Empty(t, owner(nil, "a"))
}
