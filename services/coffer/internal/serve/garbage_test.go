package serve

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGarbageIsAllowedByTheAllowanceOrByWhatIsInUse(t *testing.T) {
	assert.Equal(t, 800, garbagePercent(16<<20))
	assert.Equal(t, 100, garbagePercent(128<<20))
	assert.Equal(t, 100, garbagePercent(1<<30))
	assert.Equal(t, 800, garbagePercent(0))
}

func TestWhatIsInUseIsKnown(t *testing.T) {
	held := make([]byte, 32<<20)
	runtime.GC()
	assert.Greater(t, inUse(), uint64(len(held)))
	runtime.KeepAlive(held)
}
