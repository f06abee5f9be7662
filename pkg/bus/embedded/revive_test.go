package embedded_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/bus/embedded"
)

func TestAFullDiskClosesTheQueueOnlyUntilThereIsRoom(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	disk := t.TempDir()
	require.NoError(t, unix.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(disk, unix.MNT_DETACH)) })
	server := start(t, embedded.Config{Dir: filepath.Join(disk, "nats")})
	var keeping sync.WaitGroup
	keeping.Go(func() { assert.ErrorIs(t, server.Keep(t.Context()), context.Canceled) })
	t.Cleanup(keeping.Wait)
	conn, err := server.Connect("test")
	require.NoError(t, err)
	defer conn.Close()
	js, err := bus.JetStream(conn)
	require.NoError(t, err)
	require.NoError(t, bus.Setup(t.Context(), js))
	subject := bus.EventSubject("p", bus.TaskEvents)
	_, err = js.Publish(t.Context(), subject, []byte("told"))
	require.NoError(t, err)

	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	large := make([]byte, 64<<10)
	require.Eventually(t, func() bool { return conn.Publish(subject, large) == nil && server.Ready() != nil },
		10*time.Second, time.Millisecond)
	require.NoError(t, os.Remove(filler))

	require.Eventually(t, func() bool {
		_, err := js.Publish(t.Context(), subject, []byte("told again"))
		return err == nil
	}, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, server.Ready())
	stream, err := js.Stream(t.Context(), bus.EventStream)
	require.NoError(t, err)
	first, err := stream.GetMsg(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, "told", string(first.Data))
}

// fill takes all room that is left.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	require.NoError(t, err)
	for err == nil {
		_, err = file.Write(make([]byte, 4<<10))
	}
	require.ErrorIs(t, err, unix.ENOSPC)
	require.NoError(t, file.Close())
}
