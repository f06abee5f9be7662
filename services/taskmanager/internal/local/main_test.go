package local

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is two programs: the tests, and in the processes that they start an agent of a few lines, whose database
// is a process that waits for its end.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 {
		goleak.VerifyTestMain(m)
		return
	}
	switch os.Args[1] {
	case "serve":
		fail(serveAgent(os.Args[3]))
	case "make-template":
		fail(makeTemplate(os.Args[3], os.Args[5], os.Args[7]))
	case "enter-root":
		fail(enterRoot(os.Args[3], os.Args[5], os.Args[6:]))
	case "database":
		select {}
	default:
		goleak.VerifyTestMain(m)
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serveAgent(dir string) error {
	// Before all else: until then the runtime swallows a SIGPWR.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGPWR)
	var s serverFile
	text, err := os.ReadFile(filepath.Join(dir, "server.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.AgentListen)
	if err != nil {
		return err
	}
	defer listener.Close()
	database, err := adoptOrStart(dir)
	if err != nil {
		return err
	}
	if <-signals == syscall.SIGTERM {
		return nil
	}
	if err := syscall.Kill(database, syscall.SIGTERM); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "stopped-in-order"), nil, 0o600)
}

func adoptOrStart(dir string) (int, error) {
	record := filepath.Join(dir, "database.pid")
	if text, err := os.ReadFile(record); err == nil {
		pid, err := strconv.Atoi(string(text))
		line, gone := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && gone == nil && strings.Contains(string(line), dir) {
			return pid, nil
		}
	}
	database := exec.Command(os.Args[0], "database", "--socket="+dir+"/run/socket")
	database.Dir = filepath.Join(dir, "data")
	database.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := database.Start(); err != nil {
		return 0, err
	}
	pid := database.Process.Pid
	go database.Wait() //nolint:errcheck // reaps it
	return pid, os.WriteFile(record, []byte(strconv.Itoa(pid)), 0o600)
}

// enterRoot runs a program of a root folder without entering it: the programs of these tests need nothing else there.
func enterRoot(root, program string, args []string) error {
	program = filepath.Join(root, program)
	return syscall.Exec(program, append([]string{program}, args...), os.Environ())
}

func makeTemplate(manager, version, dir string) error {
	return os.Mkdir(filepath.Join(dir, manager+"-"+version), 0o700)
}
