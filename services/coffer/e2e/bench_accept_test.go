package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// inFlight is how many restarts are asked for at once, each of an instance of its own.
	inFlight = 50
	// acceptRounds makes a thousand of them.
	acceptRounds = 20
	// acceptBar is the p99 that must hold, unless the disk is slower.
	acceptBar = 15 * time.Millisecond
)

// BenchmarkAcceptRestart measures how long POST restart takes to its 202, which is durable by then, when 50 are sent at
// the same moment. The guests are fakes, which answer at once: what is measured is the control plane, as it ships.
func BenchmarkAcceptRestart(b *testing.B) {
	dataDir := newDataDir(b)
	s := startServe(b, dataDir, withEnv(
		"COFFER_TASKMANAGER_LOCAL_GUESTAGENT="+buildFakeAgent(b),
		"COFFER_API_QUOTA_INSTANCES=-1", "COFFER_API_QUOTA_VOLUMES=-1",
	))
	user := s.signIn("coffer")
	user.http.Transport = &http.Transport{MaxIdleConnsPerHost: inFlight}
	events := user.follow(b)
	ids := make([]string, inFlight)
	for i := range ids {
		made, created := user.create(newInstance(fmt.Sprintf("instance-%d", i)))
		events.success(created)
		ids[i] = made.ID
	}
	// Connections, caches and statements are there before the first one counts.
	restartAll(b, user, events, ids)
	for b.Loop() {
		var ours, disk []time.Duration
		for range acceptRounds {
			syscall.Sync()
			alone, err := bareSync(dataDir, inFlight)
			require.NoError(b, err)
			disk = append(disk, alone...)
			// When the asking side takes its garbage away is not what is measured.
			runtime.GC()
			ours = append(ours, restartAll(b, user, events, ids)...)
		}
		bar := max(acceptBar, 3*percentile(disk, 99))
		note(b, figure{
			what:     fmt.Sprintf("POST restart, durable before its 202, %d in flight, p99", inFlight),
			ours:     round(percentile(ours, 99)),
			byHand:   fmt.Sprintf("bare fsync p99 %s", round(percentile(disk, 99))),
			measured: milliseconds(percentile(ours, 99)), bar: milliseconds(bar), unit: "ms",
		})
		b.Logf("%d restarts accepted: p50 %s, p90 %s, p99 %s, longest %s", len(ours),
			round(percentile(ours, 50)), round(percentile(ours, 90)), round(percentile(ours, 99)), round(percentile(ours, 100)))
	}
}

// restartAll asks for a restart of every instance at the same moment, and waits until all are done. It answers with how
// long each request took.
func restartAll(b *testing.B, user *client, events *stream, ids []string) []time.Duration {
	b.Helper()
	took, tasks, failures := make([]time.Duration, len(ids)), make([]string, len(ids)), make([]error, len(ids))
	var asking sync.WaitGroup
	start := make(chan struct{})
	for i, id := range ids {
		asking.Go(func() {
			<-start
			began := time.Now()
			got, err := user.try(http.MethodPost, "/instances/"+id+"/action", map[string]any{"restart": map[string]any{}})
			took[i] = time.Since(began)
			if err == nil && got.code != http.StatusAccepted {
				err = fmt.Errorf("%d %s", got.code, got.body)
			}
			tasks[i], failures[i] = got.header.Get("Coffer-Task-Id"), err
		})
	}
	close(start)
	asking.Wait()
	waiting := map[string]bool{}
	for i := range ids {
		require.NoError(b, failures[i])
		waiting[tasks[i]] = true
	}
	for len(waiting) > 0 {
		ended := events.next(func(e event) bool { return waiting[e.task.ID] && e.task.ended() })
		require.Equal(b, "SUCCEEDED", ended.task.Status, "%+v", ended.task)
		delete(waiting, ended.task.ID)
	}
	return took
}

// buildFakeAgent makes the program that stands in for the guest agent.
func buildFakeAgent(b *testing.B) string {
	b.Helper()
	program := filepath.Join(newDataDir(b), "coffer-fakeagent")
	command := exec.Command("go", "build", "-o", program,
		"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest/fake/cmd/coffer-fakeagent")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	output, err := command.CombinedOutput()
	require.NoError(b, err, string(output))
	return program
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
