// Package entertest is for tests whose engines run in a root folder.
package entertest

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/enter"
)

// variable names a root folder with the database servers of another release, as deploy/scripts/make-engine-root makes it.
const variable = "COFFER_TEST_ENGINE_ROOT"

// Main is the TestMain of a package whose tests start programs in a root folder: where the agent is the test's own
// program, that has to know the agent's verb.
func Main(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == enter.Verb {
		fmt.Fprintln(os.Stderr, enter.Run(os.Args[2:]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// Folder is the root folder. The test is skipped where there is none, and without root, which entering one needs.
func Folder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv(variable)
	switch {
	case os.Geteuid() != 0:
		t.Skip("root folders are for root")
	case folder == "":
		t.Skipf("%s names no root folder; `make engine-root` makes one", variable)
	}
	require.DirExists(t, folder)
	return folder
}
