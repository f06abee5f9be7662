package template_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/template"
)

// build makes a data directory of two files.
func build(_ context.Context, path string, _ uint32) error {
	return errors.Join(
		os.MkdirAll(filepath.Join(path, "sub"), 0o700),
		os.WriteFile(filepath.Join(path, "a"), []byte("first"), 0o600),
		os.WriteFile(filepath.Join(path, "sub", "b"), []byte("second"), 0o600),
	)
}

func keep(string) error { return nil }

func source(t *testing.T) string {
	t.Helper()
	data, err := template.Ensure(t.Context(), filepath.Join(t.TempDir(), "templates"), "engine-1", build)
	require.NoError(t, err)
	return data
}

func TestATemplateIsBuiltOnceHoweverManyWantIt(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "templates")
	var times atomic.Int32
	var wanting sync.WaitGroup
	for range 8 {
		wanting.Go(func() {
			_, err := template.Ensure(t.Context(), folder, "engine-1", func(ctx context.Context, path string, uid uint32) error {
				times.Add(1)
				return build(ctx, path, uid)
			})
			assert.NoError(t, err)
		})
	}
	wanting.Wait()
	assert.EqualValues(t, 1, times.Load())
}

func TestABuildThatFailsLeavesNothingAndMayBeTriedAgain(t *testing.T) {
	folder := t.TempDir()
	_, err := template.Ensure(t.Context(), folder, "engine-1", func(ctx context.Context, path string, uid uint32) error {
		return errors.Join(build(ctx, path, uid), errors.New("no room"))
	})
	require.ErrorContains(t, err, "make template engine-1: no room")
	left, err := filepath.Glob(filepath.Join(folder, "*engine-1"))
	require.NoError(t, err)
	assert.Empty(t, left)
	// What a maker that was killed has left is no hindrance either.
	require.NoError(t, os.MkdirAll(filepath.Join(folder, ".making-engine-1", "data"), 0o700))
	_, err = template.Ensure(t.Context(), folder, "engine-1", build)
	require.NoError(t, err)
}

func TestACloneIsWholeAndGivenToItsUser(t *testing.T) {
	to := filepath.Join(t.TempDir(), "data")
	var mu sync.Mutex
	given := map[string]bool{}
	require.NoError(t, template.Clone(t.Context(), source(t), to, func(path string) error {
		mu.Lock()
		defer mu.Unlock()
		given[filepath.Base(path)] = true
		return nil
	}))
	text, err := os.ReadFile(filepath.Join(to, "sub", "b"))
	require.NoError(t, err)
	assert.Equal(t, "second", string(text))
	for _, name := range []string{"a", "sub", "b"} {
		assert.True(t, given[name], name)
	}
	require.NoError(t, template.Settle(to))
	require.NoError(t, template.Settle(to))
}

func TestADataDirectoryThatIsThereIsNeverTouched(t *testing.T) {
	from, to := source(t), filepath.Join(t.TempDir(), "data")
	require.NoError(t, template.Clone(t.Context(), from, to, keep))
	require.NoError(t, os.WriteFile(filepath.Join(to, "a"), []byte("rows"), 0o600))
	require.NoError(t, template.Clone(t.Context(), from, to, keep))
	require.NoError(t, template.Settle(to))
	require.NoError(t, template.Clone(t.Context(), from, to, keep))
	text, err := os.ReadFile(filepath.Join(to, "a"))
	require.NoError(t, err)
	assert.Equal(t, "rows", string(text))
}

func TestACloneThatNeverSettledIsMadeAnewAfterACrashOfTheMachine(t *testing.T) {
	from, to := source(t), filepath.Join(t.TempDir(), "data")
	require.NoError(t, template.Clone(t.Context(), from, to, keep))
	require.NoError(t, os.WriteFile(filepath.Join(to, "a"), []byte("torn"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(to, ".coffer-fresh"), []byte("an earlier boot"), 0o600))
	require.NoError(t, template.Clone(t.Context(), from, to, keep))
	text, err := os.ReadFile(filepath.Join(to, "a"))
	require.NoError(t, err)
	assert.Equal(t, "first", string(text))
}

func TestACloneThatFailsLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	refuse := errs.New(errs.Internal, "NO", "No.")
	err := template.Clone(t.Context(), source(t), filepath.Join(folder, "data"), func(string) error { return refuse })
	require.ErrorIs(t, err, refuse)
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, left)
	_, err = os.Stat(filepath.Join(folder, "data"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
}
