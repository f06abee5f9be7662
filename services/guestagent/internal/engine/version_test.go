package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/dbserver"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// fakeServer writes a program that counts how often it is asked for its version.
func fakeServer(t *testing.T, version string) (path string, asked func() int) {
	t.Helper()
	path, calls := filepath.Join(t.TempDir(), "mariadbd"), filepath.Join(t.TempDir(), "calls")
	script := fmt.Sprintf("#!/bin/sh\necho >> %s\necho 'mariadbd Ver %s-MariaDB'\n", calls, version)
	require.NoError(t, os.WriteFile(path, []byte(script), 0o700))
	return path, func() int {
		text, err := os.ReadFile(calls)
		if err != nil {
			return 0
		}
		return strings.Count(string(text), "\n")
	}
}

func TestAProgramWhoseVersionIsNotedIsNotAsked(t *testing.T) {
	path, asked := fakeServer(t, "10.11.99")
	templates := t.TempDir()
	first := engine.NewVersions(dbserver.MariaDB)
	for range 2 {
		version, err := first.Of(t.Context(), engine.Programs{}, path, templates)
		require.NoError(t, err)
		require.Equal(t, "10.11.99", version)
		require.Equal(t, 1, asked())
	}
	require.NoError(t, first.Note(engine.Programs{}, path, "10.11.99", templates))

	version, err := engine.NewVersions(dbserver.MariaDB).Of(t.Context(), engine.Programs{}, path, templates)
	require.NoError(t, err)
	assert.Equal(t, "10.11.99", version)
	assert.Equal(t, 1, asked())
}

func TestANoteOfAProgramThatWasReplacedIsWorthNothing(t *testing.T) {
	path, _ := fakeServer(t, "10.11.98")
	templates := t.TempDir()
	require.NoError(t, engine.NewVersions(dbserver.MariaDB).Note(engine.Programs{}, path, "10.11.98", templates))
	update, asked := fakeServer(t, "10.11.99")
	require.NoError(t, os.Rename(update, path))
	version, err := engine.NewVersions(dbserver.MariaDB).Of(t.Context(), engine.Programs{}, path, templates)
	require.NoError(t, err)
	assert.Equal(t, "10.11.99", version)
	assert.Equal(t, 1, asked())
}
