package logfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestALogThatItsWriterHoldsOpenIsBounded(t *testing.T) {
	const limit = 100
	folder := t.TempDir()
	path := filepath.Join(folder, "mariadbd.log")
	writer, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, writer.Close()) })
	write := func(line string) {
		_, err := writer.WriteString(line)
		require.NoError(t, err)
		require.NoError(t, bound(folder, limit))
	}
	read := func(path string) string {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(text)
	}
	early, late := strings.Repeat("a", limit), strings.Repeat("c", limit+1)

	write(early)
	assert.Equal(t, early, read(path), "it is as large as it may be")
	require.NoFileExists(t, path+former)
	write("b")
	assert.Empty(t, read(path))
	assert.Equal(t, early+"b", read(path+former))
	write("after")
	assert.Equal(t, "after", read(path), "its writer goes on at the beginning")
	write(late)
	assert.Equal(t, "after"+late, read(path+former), "one former log is kept")
	assert.Empty(t, read(path))
}

func TestWhatIsNoLogIsLeftAlone(t *testing.T) {
	folder := t.TempDir()
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	for _, path := range []string{elsewhere, filepath.Join(folder, "notes")} {
		require.NoError(t, os.WriteFile(path, []byte("long enough"), 0o600))
	}
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(folder, "link.log")))
	require.NoError(t, bound(folder, 1))
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Len(t, entries, 2)
	info, err := os.Stat(elsewhere)
	require.NoError(t, err)
	assert.NotZero(t, info.Size())
}
