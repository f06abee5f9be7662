package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/bus"
)

// inventory is what servers hold of this host, apart from the control plane itself.
type inventory struct {
	Servers   []string
	Volumes   []string
	Addresses []string
	Mounts    int
	Loops     int
	Processes int
}

func (s *serve) inventory() inventory {
	s.t.Helper()
	servers := s.folder("servers")
	return inventory{
		Servers: namesIn(s.t, servers), Volumes: namesIn(s.t, s.folder("volumes")),
		Addresses: namesIn(s.t, filepath.Join(s.dataDir, "local", "addresses")),
		Mounts:    len(mountsOf(s.t, s.folder("volumes"))), Loops: loopsOf(s.t, s.folder("volumes")),
		Processes: len(processesOf(s.t, servers+"/")),
	}
}

// folder is where a folder of the data folder really is: servers may live elsewhere, behind a link.
func (s *serve) folder(name string) string {
	s.t.Helper()
	path := filepath.Join(s.dataDir, name)
	resolved, err := filepath.EvalSymlinks(path)
	if os.IsNotExist(err) {
		return path
	}
	require.NoError(s.t, err)
	return resolved
}

// namesIn is nil for a folder that is empty or missing.
func namesIn(t testing.TB, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// loopsOf counts the loop devices on images below the folder.
func loopsOf(t testing.TB, folder string) int {
	t.Helper()
	files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	require.NoError(t, err)
	count := 0
	for _, file := range files {
		// One that is gone meanwhile was not ours to count.
		if backing, err := os.ReadFile(file); err == nil && strings.HasPrefix(string(backing), folder+"/") {
			count++
		}
	}
	return count
}

// queueVariable opens the queue of `coffer serve` at an address, for tests that look into it.
const queueVariable = "COFFER_EMBEDDED_NATS_LISTEN="

// holdings are the inventory, once no command is left in the queue: a message goes just after its task has ended.
func (s *serve) holdings() inventory {
	s.t.Helper()
	var address string
	for _, assignment := range s.command.Env {
		if value, is := strings.CutPrefix(assignment, queueVariable); is {
			address = value
		}
	}
	require.NotEmpty(s.t, address, "this serve has no open queue")
	connection, err := nats.Connect("nats://" + address)
	require.NoError(s.t, err)
	defer connection.Close()
	stream, err := jetstream.New(connection)
	require.NoError(s.t, err)
	within(s.t, "the queue to be empty", func() bool {
		commands, err := stream.Stream(s.t.Context(), bus.CommandStream)
		require.NoError(s.t, err)
		return commands.CachedInfo().State.Msgs == 0
	})
	return s.inventory()
}
