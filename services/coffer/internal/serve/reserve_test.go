package serve

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestTheReserveIsThereWhileThereIsRoomForItTwice(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	dir := t.TempDir()
	require.NoError(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=160m"))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	open := func() *reserve { return openReserve(dir, slog.New(slog.DiscardHandler)) }
	kept, filler := filepath.Join(dir, "reserve"), filepath.Join(dir, "filler")

	r := open()
	require.NoError(t, r.Ready())
	info, err := os.Stat(kept)
	require.NoError(t, err)
	assert.EqualValues(t, reserveSize, info.Size())

	require.NoError(t, allocate(filler, 90<<20), "so 6 MiB are left")
	r.look()
	require.ErrorIs(t, r.Ready(), errNoReserve)
	require.NoFileExists(t, kept)
	r.look()
	require.NoFileExists(t, kept, "there is room for it once")
	require.ErrorIs(t, open().Ready(), errNoReserve)

	require.NoError(t, os.Remove(filler))
	r.look()
	require.NoError(t, r.Ready())
	require.FileExists(t, kept)

	r.giveUp()
	r.giveUp()
	require.ErrorIs(t, r.Ready(), errNoReserve)
	require.NoError(t, open().Ready())

	require.NoError(t, allocate(filler, 90<<20))
	require.ErrorIs(t, open().Ready(), errNoReserve, "whoever starts on a full disk has to write too")
	require.NoFileExists(t, kept)
}
