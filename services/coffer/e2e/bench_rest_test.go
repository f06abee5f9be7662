package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// atRest is how long a system at rest is watched.
	atRest = time.Minute
	// settling lets what a start leaves behind (garbage, caches) settle first; there is no event for it.
	settling = 10 * time.Second
)

// BenchmarkAtRest measures what Coffer takes while nothing happens, with one instance.
func BenchmarkAtRest(b *testing.B) {
	dataDir := newDataDir(b)
	first := startServe(b, dataDir)
	made := first.signIn("coffer").createReady("resting")
	first.kill()
	for b.Loop() {
		began := time.Now()
		s := startServe(b, dataDir)
		ready := time.Since(began)
		s.signIn("coffer").awaitOperating(made.ID, "HEALTHY")
		host := s.machine(made)
		serveID, agentID := s.command.Process.Pid, host.pidOf("coffer-guestagent")
		time.Sleep(settling)

		serveBefore, agentBefore := processorTime(b, serveID), processorTime(b, agentID)
		watched := time.Now()
		time.Sleep(atRest)
		span := time.Since(watched)
		serveUsed, agentUsed := processorTime(b, serveID)-serveBefore, processorTime(b, agentID)-agentBefore

		noteLimit(b, "start of serve on an existing data folder, until ready", ready.Seconds(), 1, "s")
		noteLimit(b, "coffer serve at rest with one instance, resident", residentMiB(b, serveID), 90, "MiB")
		noteLimit(b, "coffer serve at rest, of a core", 100*serveUsed.Seconds()/span.Seconds(), 0.2, "%")
		noteLimit(b, "guest agent, resident", residentMiB(b, agentID), 20, "MiB")
		noteLimit(b, "guest agent at rest, of a core", 100*agentUsed.Seconds()/span.Seconds(), 0.2, "%")
		noteLimit(b, "guest agent, size of the program", sizeMiB(b, filepath.Join(programs, "coffer-guestagent")), 16, "MiB")
		s.kill()
	}
}

func noteLimit(b *testing.B, what string, measured, bar float64, unit string) {
	b.Helper()
	note(b, figure{what: what, ours: fmt.Sprintf("%.2f %s", measured, unit), measured: measured, bar: bar, unit: unit})
}

func sizeMiB(b *testing.B, path string) float64 {
	b.Helper()
	info, err := os.Stat(path)
	require.NoError(b, err)
	return float64(info.Size()) / (1 << 20)
}
