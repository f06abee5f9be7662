package pause_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/coffer-dbaas/coffer/pkg/pause"
)

func TestAPauseLastsItsLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		assert.True(t, pause.For(t.Context(), time.Hour))
		assert.Equal(t, time.Hour, time.Since(began))
	})
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		assert.False(t, pause.For(ctx, time.Hour))
		assert.Equal(t, time.Second, time.Since(began))
	})
}
