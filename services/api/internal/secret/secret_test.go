package secret_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api/internal/secret"
)

func open(t *testing.T, path string) *secret.Keeper {
	t.Helper()
	keeper, err := secret.OpenFile(path)
	require.NoError(t, err)
	return keeper
}

func TestASealedTextOpensForItsInstanceAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	keeper := open(t, path)
	sealed := keeper.Seal([]byte("a planted password"), "one")

	assert.NotContains(t, string(sealed), "planted")
	plain, err := open(t, path).Open(sealed, "one")
	require.NoError(t, err, "another start with the same file")
	assert.Equal(t, "a planted password", string(plain))

	_, err = keeper.Open(sealed, "two")
	require.Error(t, err, "bound to its instance")
	_, err = open(t, filepath.Join(t.TempDir(), "master.key")).Open(sealed, "one")
	require.Error(t, err, "another key")
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		_, err = keeper.Open(changed, "one")
		require.Error(t, err, "byte %d changed", i)
	}
	_, err = keeper.Open(nil, "one")
	require.Error(t, err)
}

func TestTheSameTextIsNeverSealedTheSameWay(t *testing.T) {
	t.Parallel()
	keeper := open(t, filepath.Join(t.TempDir(), "master.key"))
	first := keeper.Seal([]byte("x"), "one")
	assert.NotEqual(t, first, keeper.Seal([]byte("x"), "one"))
}

func TestFingerprintsKeepPartsApart(t *testing.T) {
	t.Parallel()
	keeper := open(t, filepath.Join(t.TempDir(), "master.key"))
	one := keeper.Fingerprint([]byte("ab"), []byte("c"))
	assert.Equal(t, one, keeper.Fingerprint([]byte("ab"), []byte("c")))
	assert.NotEqual(t, one, keeper.Fingerprint([]byte("a"), []byte("bc")))
	assert.NotEqual(t, one, keeper.Fingerprint([]byte("abc")))
	assert.NotEqual(t, one, open(t, filepath.Join(t.TempDir(), "master.key")).Fingerprint([]byte("ab"), []byte("c")))
}

func TestTheMasterKeyIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	open(t, path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing is left beside it")

	require.NoError(t, os.Chmod(path, 0o644))
	_, err = secret.OpenFile(path)
	require.ErrorContains(t, err, "make it 0600")
}

func TestADamagedMasterKeyIsNotReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	require.NoError(t, os.WriteFile(path, []byte("c2hvcnQ=\n"), 0o600))
	_, err := secret.OpenFile(path)
	require.ErrorContains(t, err, "does not hold 32 bytes")
}
