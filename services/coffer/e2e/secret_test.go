package e2e_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// planted is a password that exists nowhere else.
const planted = "Planted-7f3a91-password"

func TestAPasswordOfACreateRequestIsNowhereToBeRead(t *testing.T) {
	t.Parallel()
	dataDir := newDataDir(t)
	// The control plane dies before the guest has the password and when the guest has just got it: what lies on the
	// disk then is what a thief would find.
	for _, point := range []string{"create_instance/prepare_database/done/before", "create_instance/create_server/done/before"} {
		doomed := startServe(t, dataDir, withEnv("COFFER_CRASHPOINT="+point))
		user := doomed.signIn("coffer")
		body := newInstance("planted")
		body["instance"].(map[string]any)["users"] = []any{map[string]any{"name": "keeper", "password": planted}}
		_, taskID := user.create(body)
		doomed.awaitExit()
		assertNowhere(t, dataDir, doomed)

		next := startServe(t, dataDir)
		user = next.signIn("coffer")
		var told bytes.Buffer
		var mu sync.Mutex
		user.watch("1", func() bool { return user.task(taskID).ended() }, func(_ string, data []byte) bool {
			mu.Lock()
			defer mu.Unlock()
			told.Write(data)
			return user.task(taskID).ended()
		})
		user.awaitSuccess(taskID)
		assert.NotContains(t, told.String(), planted, "events")
		assertNowhere(t, dataDir, next)
		next.interrupt()
		assertNowhere(t, dataDir, next)
	}
}

// assertNowhere looks into every file of the data folder and into what the program printed.
func assertNowhere(t testing.TB, dataDir string, s *serve) {
	t.Helper()
	assert.NotContains(t, s.output.String(), planted, "output of serve")
	roots := []string{dataDir}
	if servers, err := filepath.EvalSymlinks(filepath.Join(dataDir, "servers")); err == nil {
		roots = append(roots, servers)
	}
	for _, root := range roots {
		require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			if !entry.Type().IsRegular() {
				return nil
			}
			found, err := holds(path, []byte(planted))
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			assert.False(t, found, path)
			return err
		}))
	}
}

// holds looks for a text in a file of any size.
func holds(path string, wanted []byte) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }()
	buffer := make([]byte, 1<<20)
	kept := 0
	for {
		n, err := file.Read(buffer[kept:])
		if bytes.Contains(buffer[:kept+n], wanted) {
			return true, nil
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		tail := min(len(wanted)-1, kept+n)
		copy(buffer, buffer[kept+n-tail:kept+n])
		kept = tail
	}
}
