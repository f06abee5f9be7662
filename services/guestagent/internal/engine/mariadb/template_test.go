package mariadb_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine/mariadb"
)

// TestATemplateIsMadeWithTemporaryFilesOfItsOwn looks at every start of the server: one that shares the folder of its
// temporary files removes those of all others.
func TestATemplateIsMadeWithTemporaryFilesOfItsOwn(t *testing.T) {
	prefix, starts := observed(t)

	data, err := mariadb.MakeTemplate(t.Context(), openFolder(t), engine.Programs{Prefix: prefix}, installed(t))
	require.NoError(t, err)

	text, err := os.ReadFile(starts)
	require.NoError(t, err)
	made := 0
	for start := range strings.Lines(string(text)) {
		if _, at, found := strings.Cut(start, "--datadir="); found {
			building, _, _ := strings.Cut(at, "/data ")
			assert.Contains(t, start, "--tmpdir="+building+"/tmp ")
			made++
		}
	}
	assert.Positive(t, made, "%s", text)
	left, err := os.ReadDir(filepath.Dir(data))
	require.NoError(t, err)
	var names []string
	for _, entry := range left {
		names = append(names, entry.Name())
	}
	assert.ElementsMatch(t, []string{"complete", "data"}, names)
}

// observed is a folder of the host's programs whose server writes down, in a file, with which arguments it is started.
func observed(t *testing.T) (prefix, starts string) {
	t.Helper()
	prefix = openFolder(t)
	for _, name := range []string{"bin/mariadb-install-db", "bin/my_print_defaults", "bin/resolveip", "share", "lib"} {
		link := filepath.Join(prefix, "usr", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(link), 0o755))
		require.NoError(t, os.Symlink(filepath.Join("/usr", name), link))
	}
	starts = filepath.Join(prefix, "starts")
	require.NoError(t, os.WriteFile(starts, nil, 0o600))
	require.NoError(t, os.Chmod(starts, 0o666))
	server := filepath.Join(prefix, "usr", "sbin", "mariadbd")
	require.NoError(t, os.Mkdir(filepath.Dir(server), 0o755))
	script := fmt.Sprintf("#!/bin/sh\necho \"$*\" >> %s\nexec /usr/sbin/mariadbd \"$@\"\n", starts)
	require.NoError(t, os.WriteFile(server, []byte(script), 0o755)) //nolint:gosec // a program
	return prefix, starts
}

// openFolder is one that the account which makes templates can use too.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "coffer-template-") //nolint:usetesting // a test's own folder is closed to others
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, os.Chmod(folder, 0o755)) //nolint:gosec // see above
	return folder
}

// installed is the exact version of this host's server.
func installed(t *testing.T) string {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), "/usr/sbin/mariadbd", "--no-defaults", "--version").Output()
	require.NoError(t, err)
	_, version, found := strings.Cut(string(said), "Ver ")
	require.True(t, found, "%s", said)
	version, _, found = strings.Cut(version, "-MariaDB")
	require.True(t, found, "%s", said)
	return version
}
