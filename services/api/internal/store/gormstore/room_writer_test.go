package gormstore

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

func TestAWriteWithoutRoomIsTriedOnceMoreAfterRoomWasMade(t *testing.T) {
	cfg := Config{Driver: DriverSQLite, DSN: filepath.Join(t.TempDir(), "coffer.db")}
	require.NoError(t, Migrate(t.Context(), cfg))
	statement := func(sql string) func(*unit) error {
		return func(u *unit) error { return u.db.Exec(sql).Error }
	}
	asked, makeRoom := 0, func() {}
	s, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler), WithRoom(func() { asked++; makeRoom() }))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.writer.write(t.Context(), "make a table", statement("CREATE TABLE filler (x BLOB)")))
	require.NoError(t, s.writer.write(t.Context(), "bound the file", statement("PRAGMA max_page_count = 1")))

	for name, write := range map[string]func(context.Context, string, func(*unit) error) error{
		"what users wait for": s.writer.writeFirst, "the work behind it": s.writer.write,
	} {
		t.Run(name, func(t *testing.T) {
			fill := func() error {
				return write(t.Context(), "fill", statement("INSERT INTO filler VALUES (zeroblob(1000000))"))
			}
			asked, makeRoom = 0, func() {}
			require.True(t, errs.IsReason(fill(), reasonFull), "there is no room to be made")
			assert.Equal(t, 1, asked)
			makeRoom = func() {
				assert.NoError(t, s.writer.write(t.Context(), "make room", statement("PRAGMA max_page_count = 1000000")))
			}
			require.NoError(t, fill())
			assert.Equal(t, 2, asked)
			require.NoError(t, s.writer.write(t.Context(), "bound the file", statement("PRAGMA max_page_count = 1")))
		})
	}
}
