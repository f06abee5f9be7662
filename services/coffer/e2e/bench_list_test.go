package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	// listed is how many instances the project has, of which a page shows listedPage.
	listed     = 1000
	listedPage = 20
	// listRounds is how often all pages are read.
	listRounds = 11
)

// BenchmarkListInstances compares the pages of a list of 1,000 instances, read one after the other by their links, to a
// bare handler that encodes as many structs with the same content, in turns. Of all but one of the instances there is
// nothing but their rows.
func BenchmarkListInstances(b *testing.B) {
	dataDir := newDataDir(b)
	s := startServe(b, dataDir)
	made := s.signIn("coffer").createReady("listed")
	s.kill()
	copyInstance(b, filepath.Join(dataDir, "coffer.db"), made.ID, listed-1)
	s = startServe(b, dataDir)
	user := s.signIn("coffer")
	for _, kind := range []struct{ name, path string }{{"list", "/instances"}, {"detail", "/instances/detail"}} {
		b.Run(kind.name, func(b *testing.B) {
			bare := startBareHandler(b, user.call(http.MethodGet, kind.path, nil).body)
			var ours, byHand []time.Duration
			for b.Loop() {
				for range listRounds {
					ours = append(ours, user.readPages(kind.path))
					byHand = append(byHand, user.readAgain(bare, listed/listedPage))
				}
			}
			noteRatio(b, fmt.Sprintf("%s of %d instances, each page of %d", kind.name, listed, listedPage), ours, byHand, 0)
		})
	}
}

// readPages reads a list by its links and answers with the time that a page took.
func (c *client) readPages(path string) time.Duration {
	c.t.Helper()
	began, read := time.Now(), 0
	pages := 0
	for ; path != ""; pages++ {
		got := c.call(http.MethodGet, path, nil)
		require.Equal(c.t, http.StatusOK, got.code, string(got.body))
		var page struct {
			Instances []json.RawMessage
			Links     []bareLink
		}
		require.NoError(c.t, json.Unmarshal(got.body, &page))
		read += len(page.Instances)
		path = ""
		if len(page.Links) > 0 {
			path = page.Links[0].Href
		}
	}
	took := time.Since(began) / time.Duration(pages)
	assert.Equal(c.t, listed, read)
	return took
}

// readAgain reads one page so many times, as readPages would.
func (c *client) readAgain(url string, times int) time.Duration {
	c.t.Helper()
	began := time.Now()
	for range times {
		got := c.call(http.MethodGet, url, nil)
		require.Equal(c.t, http.StatusOK, got.code, string(got.body))
		var page struct{ Instances, Links []json.RawMessage }
		require.NoError(c.t, json.Unmarshal(got.body, &page))
		require.Len(c.t, page.Instances, listedPage)
	}
	return time.Since(began) / time.Duration(times)
}

// copyInstance writes rows into the state of a control plane that does not run.
func copyInstance(b *testing.B, state, id string, copies int) {
	b.Helper()
	program := filepath.Join(b.TempDir(), "coffer-copyinstance")
	command := exec.Command("go", "build", "-o", program,
		"github.com/coffer-dbaas/coffer/services/api/internal/store/storetest/cmd/coffer-copyinstance")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	output, err := command.CombinedOutput()
	require.NoError(b, err, string(output))
	output, err = exec.Command(program, "-file", state, "-instance", id, "-copies", strconv.Itoa(copies)).CombinedOutput()
	require.NoError(b, err, string(output))
}
