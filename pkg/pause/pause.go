// Package pause waits for a while, and no longer than its caller has to.
package pause

import (
	"context"
	"time"
)

// For waits for so long. It is false when the context ended first.
func For(ctx context.Context, length time.Duration) bool {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
