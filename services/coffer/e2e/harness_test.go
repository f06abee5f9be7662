package e2e_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/nettest"
)

// patience bounds every wait; a healthy run never comes near it.
const patience = 90 * time.Second

// programs is the folder of the programs under test, built with crash points.
var programs string

// templates is the folder of the templates that new data folders begin with.
var templates string

func TestMain(m *testing.M) {
	if address := os.Getenv(bareRole); address != "" {
		fmt.Fprintln(os.Stderr, serveBare(address, os.Args[1]))
		os.Exit(1)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "coffer-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the programs:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	// Another user must be able to enter: an agent may start what it finds beside itself.
	if err := os.Chmod(folder, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, "open the folder of the programs:", err)
		return 1
	}
	flag.Parse()
	programs, templates = folder, filepath.Join(folder, "templates")
	if err := build(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	disk, err := bareSync(folder, 200)
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure the disk:", err)
		return 1
	}
	code := m.Run()
	if err := writeReport(median(disk)); err != nil {
		fmt.Fprintln(os.Stderr, "write the report:", err)
		return 1
	}
	return code
}

// benchmarking says whether this run measures: then the programs are those that ship, without crash points.
func benchmarking() bool { return flag.Lookup("test.bench").Value.String() != "" }

// build makes the programs with their crash points; COFFER_E2E_PROGRAMS names a folder that has them already (a user
// without Go's caches runs the compiled tests with it).
func build(folder string) error {
	if given := os.Getenv("COFFER_E2E_PROGRAMS"); given != "" {
		programs = given
		return nil
	}
	packages := map[string]string{"nats-server": "github.com/nats-io/nats-server/v2"}
	for _, service := range []string{"coffer", "gateway", "api", "taskmanager", "guestagent"} {
		name := "coffer-" + service
		if service == "coffer" {
			name = "coffer"
		}
		packages[name] = "github.com/coffer-dbaas/coffer/services/" + service + "/cmd/" + name
	}
	for name, path := range packages {
		flags := []string{"-tags=crashpoints"}
		if benchmarking() {
			flags = []string{"-trimpath", "-ldflags=-s -w"}
		}
		arguments := append([]string{"build", "-o", filepath.Join(folder, name)}, flags...)
		arguments = append(arguments, path)
		command := exec.Command("go", arguments...)
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, output)
		}
	}
	return nil
}

// serve is a running `coffer serve`.
type serve struct {
	*process
	dataDir string
	listen  string
	// servers is the folder above those of the servers; empty for the data folder's own.
	servers string
	// patience is its users'.
	patience time.Duration
}

// serveOption changes how `coffer serve` is started.
type serveOption func(*exec.Cmd)

func withEnv(assignments ...string) serveOption {
	return func(c *exec.Cmd) { c.Env = append(c.Env, assignments...) }
}

func withArgs(args ...string) serveOption {
	return func(c *exec.Cmd) { c.Args = append(c.Args, args...) }
}

// startServe starts `coffer serve` on a data folder and waits until it is ready.
func startServe(t testing.TB, dataDir string, options ...serveOption) *serve {
	t.Helper()
	s := launchServe(t, dataDir, options...)
	s.awaitReady()
	return s
}

// launchServe starts `coffer serve` without waiting.
func launchServe(t testing.TB, dataDir string, options ...serveOption) *serve {
	t.Helper()
	listen := nettest.FreeAddress(t)
	command := exec.Command(filepath.Join(programs, "coffer"), "serve",
		"--listen", listen, "--grpc-listen", nettest.FreeAddress(t), "--data-dir", dataDir)
	command.Env = os.Environ()
	command.Dir = dataDir
	for _, option := range options {
		option(command)
	}
	return &serve{process: launch(t, "coffer serve on "+dataDir, command), dataDir: dataDir, listen: listen, patience: patience}
}

// awaitReady waits for the line that says where it listens.
func (s *serve) awaitReady() {
	s.t.Helper()
	s.awaitLine("Coffer is ready: http://" + s.listen)
}

// interrupt is Ctrl-C: the control plane and the local servers stop in order.
func (s *serve) interrupt() {
	s.t.Helper()
	s.signal(syscall.SIGINT)
	require.Zero(s.t, s.command.ProcessState.ExitCode(), s.output.tail(40))
}

// newDataDir is a data folder that other users can reach, as local servers need, with the templates of databases that a
// first start would have to make. At the test's end every process and mount of it is removed.
func newDataDir(t testing.TB) string {
	t.Helper()
	dir := emptyDataDir(t)
	copyTemplates(t, dir)
	return dir
}

// copyTemplates links the templates' files where it can: nobody changes them, and to make thousands of files costs more
// than all else that most tests do.
func copyTemplates(t testing.TB, dataDir string) {
	t.Helper()
	require.NoError(t, makeTemplates())
	if exec.CommandContext(t.Context(), "cp", "-al", templates, dataDir).Run() == nil {
		return
	}
	require.NoError(t, os.RemoveAll(filepath.Join(dataDir, filepath.Base(templates))))
	output, err := exec.CommandContext(t.Context(), "cp", "-a", "--reflink=auto", templates, dataDir).CombinedOutput()
	require.NoError(t, err, string(output))
}

// emptyDataDir is newDataDir without templates, as a newcomer has it.
func emptyDataDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "coffer-data-") //nolint:usetesting // others must be able to enter
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() {
		keepLogs(t, dir)
		killAllOf(t, dir)
		unmountAllOf(t, dir)
		require.NoError(t, os.RemoveAll(dir))
	})
	return dir
}

// keepLogs copies the logs of a failed test's servers into the folder that COFFER_E2E_KEEP names.
func keepLogs(t testing.TB, dataDir string) {
	t.Helper()
	kept := os.Getenv("COFFER_E2E_KEEP")
	if !t.Failed() || kept == "" {
		return
	}
	logs, err := filepath.Glob(filepath.Join(dataDir, "servers", "*", "log"))
	require.NoError(t, err)
	for _, log := range logs {
		to := filepath.Join(kept, filepath.Base(dataDir), filepath.Base(filepath.Dir(log)))
		if err := os.CopyFS(to, os.DirFS(log)); err != nil {
			t.Logf("keep the logs of %s: %v", log, err)
		}
	}
}

// makeTemplates makes the templates once, as the provider would have it done.
var makeTemplates = sync.OnceValue(func() error {
	for _, d := range everyDatastore {
		versions, err := d.versions()
		if err != nil {
			return err
		}
		for _, version := range versions {
			making := exec.Command(filepath.Join(programs, "coffer-guestagent"),
				"make-template", "--manager", d.name, "--version", version, "--dir", templates)
			if output, err := making.CombinedOutput(); err != nil {
				return fmt.Errorf("make a template: %w: %s", err, output)
			}
		}
	}
	return nil
})

func listen(address string) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
}

func unmountAllOf(t testing.TB, folder string) {
	t.Helper()
	for _, point := range mountsOf(t, folder) {
		if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil {
			t.Logf("unmount %s: %v", point, err)
		}
	}
}

// mountsOf are the mount points below the folder.
func mountsOf(t testing.TB, folder string) []string {
	t.Helper()
	file, err := os.Open("/proc/self/mounts")
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	var points []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 1 && strings.HasPrefix(fields[1], folder+"/") {
			points = append(points, fields[1])
		}
	}
	require.NoError(t, lines.Err())
	return points
}

// within waits for what the kernel or another program brings about and tells nobody.
func within(t testing.TB, what string, condition func() bool) {
	t.Helper()
	require.True(t, comesTrue(condition), "waited in vain for "+what)
}

// comesTrue looks at a condition every few milliseconds until it is true, or the patience is over.
func comesTrue(condition func() bool) bool {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	limit := time.After(patience)
	for !condition() {
		select {
		case <-ticker.C:
		case <-limit:
			return false
		}
	}
	return true
}
