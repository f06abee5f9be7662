package mariadb

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	first := &versionCache{known: map[program]string{}}
	version, err := first.of(t.Context(), programs{server: path}, templates)
	require.NoError(t, err)
	require.Equal(t, "10.11.99", version)
	require.Equal(t, 1, asked())
	require.NoError(t, programs{server: path, version: version}.leaveNote(templates))

	next := &versionCache{known: map[program]string{}}
	version, err = next.of(t.Context(), programs{server: path}, templates)
	require.NoError(t, err)
	assert.Equal(t, "10.11.99", version)
	assert.Equal(t, 1, asked())
}

func TestANoteOfAProgramThatWasReplacedIsWorthNothing(t *testing.T) {
	path, _ := fakeServer(t, "10.11.98")
	templates := t.TempDir()
	require.NoError(t, programs{server: path, version: "10.11.98"}.leaveNote(templates))
	update, asked := fakeServer(t, "10.11.99")
	require.NoError(t, os.Rename(update, path))
	version, err := (&versionCache{known: map[program]string{}}).of(t.Context(), programs{server: path}, templates)
	require.NoError(t, err)
	assert.Equal(t, "10.11.99", version)
	assert.Equal(t, 1, asked())
}
