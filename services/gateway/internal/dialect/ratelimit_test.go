package dialect

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/coffer-dbaas/coffer/services/gateway/internal/server"
)

func TestAProjectThatIsActiveIsNotForgotten(t *testing.T) {
	limits := newRateLimits(nil)
	busy := limitKey{"busy", "GET"}
	assert.Zero(t, limits.take(busy, 1))
	for i := range server.MaxLimitedProjects + 1 {
		limits.take(limitKey{strconv.Itoa(i), "GET"}, 1)
	}
	assert.NotZero(t, limits.take(busy, 1), "its one request of the minute is spent")
	for i := range 2*server.MaxLimitedProjects + 2 {
		limits.take(limitKey{"x" + strconv.Itoa(i), "GET"}, 1)
	}
	assert.LessOrEqual(t, len(limits.younger)+len(limits.older), 2*server.MaxLimitedProjects)
	assert.Zero(t, limits.take(busy, 1), "it was quiet for long")
}
