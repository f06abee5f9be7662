package embedded

import (
	"context"
	"sync/atomic"
	"time"
	_ "unsafe" // for go:linkname

	_ "github.com/nats-io/nats-server/v2/server/ats" // whose variables are linked to
)

// clockTick is how far the server's clock may be behind. Ten seconds are no multiple of it: a stream whose buffers are
// just that old looks again every tenth of a second until the clock goes on.
const clockTick = 6 * time.Second

// The server keeps a clock of its own for what its streams hold in memory (package ats), and ticks it ten times a second
// for as long as there is a stream. To wake a process so often costs more than all else that a control plane at rest does,
// while this clock decides only when a stream that nobody used for ten seconds gives its buffers back, and when events
// that are a day old are removed; messages are dated by the real time. So a Server ticks it, at leisure.
//
// The package has no setting for it, so its variables are linked to. One registration that is never given back keeps it
// from starting its ticker, in whatever order streams come and go. Should a later version name the variables otherwise,
// then its ticker runs as ever, and the tests of this file fail.

//go:linkname clockRegistrations github.com/nats-io/nats-server/v2/server/ats.refs
var clockRegistrations atomic.Int64

//go:linkname clockTime github.com/nats-io/nats-server/v2/server/ats.utime
var clockTime atomic.Int64

func init() { clockRegistrations.Add(1) }

// clock ticks until it is stopped. Of several in a process each tells the same time.
type clock struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

func startClock() *clock {
	ctx, cancel := context.WithCancel(context.Background())
	c := &clock{cancel: cancel, ended: make(chan struct{})}
	clockTime.Store(time.Now().UnixNano())
	go c.run(ctx)
	return c
}

func (c *clock) run(ctx context.Context) {
	defer close(c.ended)
	ticker := time.NewTicker(clockTick)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			clockTime.Store(now.UnixNano())
		case <-ctx.Done():
			return
		}
	}
}

// stop may be called twice.
func (c *clock) stop() {
	c.cancel()
	<-c.ended
}
