package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
)

// withoutOpenStack lets the stock client's script be left out where the client cannot be installed.
const withoutOpenStack = "COFFER_E2E_WITHOUT_OPENSTACK"

func TestTheCommandLine(t *testing.T) {
	t.Parallel()
	runScripts(t, "testdata/script")
}

func TestTheStockClientWorksUnmodified(t *testing.T) {
	t.Parallel()
	if os.Getenv(withoutOpenStack) != "" {
		t.Skip(withoutOpenStack + " is set")
	}
	_, err := exec.LookPath("openstack")
	require.NoError(t, err, "`make deps/test` installs it; %s=1 leaves this test out", withoutOpenStack)
	runScripts(t, "testdata/openstack")
}

// runScripts runs every script of a folder against a service of their own. They find its data folder in $DATA, and the
// programs in their PATH.
func runScripts(t *testing.T, folder string) {
	t.Helper()
	s := startServe(t, newDataDir(t))
	testscript.Run(t, testscript.Params{
		Dir: folder,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATA", s.dataDir)
			env.Setenv("ADDRESS", s.listen)
			env.Setenv("PASSWORD", userPassword)
			env.Setenv("PATH", programs+string(os.PathListSeparator)+os.Getenv("PATH"))
			return os.MkdirAll(filepath.Join(env.WorkDir, "home"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"keep": keep, "json": isJSON, "settle": settle(s.signIn("coffer")),
		},
	})
}

// settle is the command settle ID STATUS: it waits until the instance has the status, or is gone.
func settle(user *client) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 2 {
			ts.Fatalf("usage: settle ID STATUS|gone")
		}
		id, want, status := args[0], args[1], ""
		comesTrue(func() bool {
			got, err := user.try(http.MethodGet, "/instances/"+id, nil)
			ts.Check(err)
			status = "gone"
			if got.code == http.StatusOK {
				var shown struct{ Instance instance }
				ts.Check(json.Unmarshal(got.body, &shown))
				status = shown.Instance.Status
			}
			return status == want || status == "ERROR"
		})
		if status != want {
			ts.Fatalf("the instance is %s, not %s", status, want)
		}
	}
}

// keep VARIABLE KEY... takes a value out of the JSON that the last command wrote: keep ID id, keep IP ip 0.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: keep VARIABLE KEY...")
	}
	var value any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &value))
	for _, key := range args[1:] {
		switch within := value.(type) {
		case map[string]any:
			value = within[key]
		case []any:
			var index int
			_, err := fmt.Sscan(key, &index)
			ts.Check(err)
			if index >= len(within) {
				ts.Fatalf("no element %d of %d", index, len(within))
			}
			value = within[index]
		}
	}
	text := strings.TrimSpace(fmt.Sprint(value))
	if value == nil || text == "" {
		ts.Fatalf("the answer has no %v", args[1:])
	}
	ts.Setenv(args[0], text)
}

// isJSON holds that the last command wrote JSON and nothing else.
func isJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 0 {
		ts.Fatalf("usage: [!] json")
	}
	if json.Valid([]byte(ts.ReadFile("stdout"))) == neg {
		ts.Fatalf("JSON: %v", neg)
	}
}
