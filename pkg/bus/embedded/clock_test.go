package embedded

import (
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/bus"
)

func TestTheServersClockTicksAtLeisure(t *testing.T) {
	defer clockTime.Store(time.Now().UnixNano())
	synctest.Test(t, func(t *testing.T) {
		c := startClock()
		defer c.stop()
		began := time.Now().UnixNano()
		assert.Equal(t, began, ats.AccessTime(), "the server's own clock was set")
		time.Sleep(clockTick - time.Nanosecond)
		synctest.Wait()
		assert.Equal(t, began, ats.AccessTime())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Equal(t, began+int64(clockTick), ats.AccessTime())
	})
}

func TestTheServersOwnTickerNeverRunsHoweverStreamsComeAndGo(t *testing.T) {
	for range 2 {
		server, err := Start(t.Context(), Config{Dir: t.TempDir()}, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		t.Cleanup(server.Stop)
		conn, err := server.Connect("test")
		require.NoError(t, err)
		t.Cleanup(conn.Close)
		js, err := bus.JetStream(conn)
		require.NoError(t, err)
		require.NoError(t, bus.Setup(t.Context(), js))
		assert.False(t, runs("server/ats."))
		require.NoError(t, js.DeleteStream(t.Context(), bus.CommandStream))
		require.NoError(t, bus.Setup(t.Context(), js))
		require.NoError(t, js.DeleteStream(t.Context(), bus.CommandStream))
		require.NoError(t, js.DeleteStream(t.Context(), bus.EventStream))
		require.NoError(t, bus.Setup(t.Context(), js))
		assert.False(t, runs("server/ats."))
	}
}

// runs says whether a goroutine is in such a function, or was started by one.
func runs(function string) bool {
	stacks := make([]byte, 1<<20)
	return strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), function)
}
