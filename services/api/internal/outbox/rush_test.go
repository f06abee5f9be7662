package outbox

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestARushIsOverWhenTheLastRequestHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rush := &Rush{}
		first, second := rush.Enter(), rush.Enter()
		over := false
		go func() {
			rush.await(t.Context())
			over = true
		}()
		first()
		synctest.Wait()
		assert.False(t, over)
		second()
		synctest.Wait()
		assert.True(t, over)
		assert.Zero(t, waited(t, rush), "the next one is another rush")
	})
}

func TestARushThatDoesNotEndIsWaitedForSoLongAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rush := &Rush{}
		defer rush.Enter()()
		assert.Equal(t, longestRush, waited(t, rush))
	})
}

func TestWithoutARushThereIsNoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		assert.Zero(t, waited(t, &Rush{}))
	})
}

func waited(t *testing.T, rush *Rush) time.Duration {
	t.Helper()
	began := time.Now()
	rush.await(t.Context())
	return time.Since(began)
}
