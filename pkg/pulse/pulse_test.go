package pulse_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/coffer-dbaas/coffer/pkg/pulse"
)

const interval = 5 * time.Second

func TestWhatBeganAtDifferentTimesHappensTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := pulse.Next(interval)
		time.Sleep(first + interval/3)
		second := pulse.Next(interval)
		assert.Equal(t, interval-interval/3, second)
		time.Sleep(second)
		assert.Equal(t, interval, pulse.Next(interval))
		assert.Zero(t, pulse.Next(3*interval)%interval, "a longer interval keeps to the moments of a shorter one")
	})
}

func TestAMomentThatIsNearlyThereIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(pulse.Next(interval))
		time.Sleep(interval - time.Millisecond)
		assert.Equal(t, interval+time.Millisecond, pulse.Next(interval))
	})
}
