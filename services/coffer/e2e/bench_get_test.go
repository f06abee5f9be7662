package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/nettest"
)

const (
	getWorkers = 32
	getRounds  = 11
	getRound   = time.Second
	// bareRole makes the test binary a bare net/http JSON handler on the address that follows.
	bareRole = "COFFER_E2E_BARE_HANDLER"
)

// BenchmarkGetInstance compares GET of one instance with a token to a bare handler that encodes the same instance from
// a struct, each in a process of its own, under one load generator, in turns.
func BenchmarkGetInstance(b *testing.B) {
	s := startServe(b, newDataDir(b))
	user := s.signIn("coffer")
	made := user.createReady("read")
	sample := user.call(http.MethodGet, "/instances/"+made.ID, nil)
	bare := startBareHandler(b, sample.body)
	for b.Loop() {
		var ours, byHand []float64
		for range getRounds {
			ours = append(ours, rate(b, user.base+"/instances/"+made.ID, user.token))
			byHand = append(byHand, rate(b, bare, user.token))
		}
		mine, theirs := median(ours), median(byHand)
		note(b, figure{
			what:     "GET one instance, requests per second",
			ours:     fmt.Sprintf("%.0f/s", mine),
			byHand:   fmt.Sprintf("%.0f/s", theirs),
			measured: mine / theirs, bar: 0.5, atLeast: true, unit: "of the bare handler",
		})
	}
}

// rate is how many requests a second were answered with 200.
func rate(b *testing.B, url, token string) float64 {
	b.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: getWorkers}
	defer transport.CloseIdleConnections()
	httpClient := &http.Client{Transport: transport}
	ctx, cancel := context.WithTimeout(context.Background(), getRound)
	defer cancel()
	var answered, failed atomic.Int64
	var workers sync.WaitGroup
	began := time.Now()
	for range getWorkers {
		workers.Go(func() {
			for ctx.Err() == nil {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
				if err != nil {
					failed.Add(1)
					return
				}
				request.Header.Set("X-Auth-Token", token)
				response, err := httpClient.Do(request) //nolint:bodyclose // discard closes it
				if err != nil {
					continue
				}
				if discard(response.Body) == nil && response.StatusCode == http.StatusOK {
					answered.Add(1)
				} else if ctx.Err() == nil {
					failed.Add(1)
				}
			}
		})
	}
	workers.Wait()
	require.Zero(b, failed.Load(), "requests that were not answered with 200")
	return float64(answered.Load()) / time.Since(began).Seconds()
}

// startBareHandler runs the test binary again as the handler and answers with its URL.
func startBareHandler(b *testing.B, body []byte) string {
	b.Helper()
	address := nettest.FreeAddress(b)
	content := b.TempDir() + "/body"
	require.NoError(b, os.WriteFile(content, body, 0o600))
	command := exec.Command(os.Args[0], content)
	command.Env = append(os.Environ(), bareRole+"="+address)
	output := newTranscript()
	command.Stdout, command.Stderr = output, output
	require.NoError(b, command.Start())
	b.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	select {
	case <-output.appeared("ready"):
	case <-time.After(patience):
		require.FailNow(b, "the bare handler does not start", output.String())
	}
	return "http://" + address + "/"
}

// serveBare is the bare handler.
func serveBare(address, content string) error {
	body, err := os.ReadFile(content)
	if err != nil {
		return err
	}
	shown, err := readBare(body)
	if err != nil {
		return err
	}
	listener, err := listen(address)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	server := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(shown)
	})}
	return server.Serve(listener)
}
