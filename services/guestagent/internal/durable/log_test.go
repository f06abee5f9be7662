package durable_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// openLog gives a log and what it holds.
func openLog(t *testing.T, path string) (*durable.Log, []string) {
	t.Helper()
	var held []string
	log, err := durable.OpenLog(path, func(record []byte) error {
		var text string
		err := json.Unmarshal(record, &text)
		held = append(held, text)
		return err
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, log.Close()) })
	return log, held
}

func TestALogHoldsWhatWasAdded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	log, held := openLog(t, path)
	assert.Empty(t, held)
	require.NoError(t, log.Add("one"))
	require.NoError(t, log.Add("two\nlines"))

	log, held = openLog(t, path)
	assert.Equal(t, []string{"one", "two\nlines"}, held)
	require.NoError(t, log.Add("three"))
	assert.Equal(t, 1, log.Added())
	require.NoError(t, log.Replace("two and three"))
	assert.Zero(t, log.Added())
	require.NoError(t, log.Add("four"))

	_, held = openLog(t, path)
	assert.Equal(t, []string{"two and three", "four"}, held)
}

func TestWhatACrashHasLeftOfARecordIsDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	log, _ := openLog(t, path)
	require.NoError(t, log.Add("one"))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(whole, `"a record that was never fin`...), 0o600))

	log, held := openLog(t, path)
	assert.Equal(t, []string{"one"}, held)
	require.NoError(t, log.Add("two"))
	_, held = openLog(t, path)
	assert.Equal(t, []string{"one", "two"}, held)
}

func TestARecordThatCannotBeReadIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte("\"one\"\nnonsense\n"), 0o600))
	_, err := durable.OpenLog(path, func(record []byte) error { return json.Unmarshal(record, new(string)) })
	require.ErrorContains(t, err, path)
}
