package local

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// putProgram leaves a program that prints a line below the prefix.
func putProgram(t *testing.T, prefix, path, says string) {
	t.Helper()
	path = filepath.Join(prefix, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(fmt.Sprintf("#!/bin/sh\necho '%s'\n", says)), 0o755))
}

func TestEveryPostgreSQLIsOfferedTheNewestFirstAndMariaDBBeforeIt(t *testing.T) {
	prefix := t.TempDir()
	for version, minor := range map[string]string{"9": "0", "15": "18", "16": "2"} {
		putProgram(t, prefix, "usr/lib/postgresql/"+version+"/bin/postgres",
			fmt.Sprintf("postgres (PostgreSQL) %s.%s (Debian)", version, minor))
	}
	putProgram(t, prefix, "usr/local/bin/postgres", "postgres (PostgreSQL) 15.18 (Debian)")
	putProgram(t, prefix, "usr/sbin/mariadbd", "mariadbd  Ver 10.11.14-MariaDB")
	found, err := (&offers{places: []place{{prefix: prefix}}}).look(t.Context())
	require.NoError(t, err)
	var offered []string
	for _, d := range found {
		offered = append(offered, d.manager+" "+d.version)
	}
	assert.Equal(t, []string{"mariadb 10.11.14", "postgresql 16.2", "postgresql 15.18", "postgresql 9.0"}, offered)
}

func TestAnEngineThatDoesNotAnswerTakesNoOtherWithIt(t *testing.T) {
	prefix := t.TempDir()
	putProgram(t, prefix, "usr/lib/postgresql/15/bin/postgres", "postgres (PostgreSQL) 15.18")
	path := filepath.Join(prefix, "usr/sbin/mariadbd")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\nexit 1\n"), 0o755))
	found, err := (&offers{places: []place{{prefix: prefix}}}).look(t.Context())
	require.ErrorContains(t, err, "mariadbd")
	require.Len(t, found, 1)
	assert.Equal(t, "postgresql", found[0].manager)
}
