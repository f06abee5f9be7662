package serve

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestADataFolderIsServedOnceAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	held, err := openFolder(dir)
	require.NoError(t, err)

	_, err = openFolder(dir)
	require.ErrorContains(t, err, "another `coffer serve` runs on the data folder "+dir)

	require.NoError(t, held.release())
	again, err := openFolder(dir)
	require.NoError(t, err)
	assert.Equal(t, held.id, again.id, "a folder keeps its id")
	require.NoError(t, again.release())
}
