package gormstore

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheLogIsFoldedIntoTheDatabaseInAPauseOfTheWriting(t *testing.T) {
	s := openForWriting(t)
	defer func() { require.NoError(t, s.Close()) }()
	var path string
	require.NoError(t, s.db.read.Raw("SELECT file FROM pragma_database_list").Scan(&path).Error)
	size := func() int64 {
		file, err := os.Stat(path)
		require.NoError(t, err)
		return file.Size()
	}
	before := size()
	for range checkpointAfter {
		require.NoError(t, s.writer.write(t.Context(), "fill", func(u *unit) error {
			u.messages = []outboxRow{{Subject: "s", MessageID: "m", Payload: make([]byte, 4096)}}
			return nil
		}))
	}
	require.Eventually(t, func() bool { return size() > before }, 20*time.Second, 10*time.Millisecond)
}
