package dbtest

import (
	"bufio"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Server is a database server on a socket of its own. It leaves writing to the kernel: what it holds ends with it.
type Server struct {
	// DSN opens its one database, as the driver of its kind takes it.
	DSN string

	folder string
	// account is whom it runs as, since database servers refuse to be root; nil is the caller.
	account *syscall.Credential
	command *exec.Cmd
	// stop is the signal for a quick end in order.
	stop syscall.Signal
	// read ends with the server's log.
	read chan struct{}
}

// MariaDB starts a server with an empty database. The caller stops it.
func MariaDB(t testing.TB) *Server {
	t.Helper()
	daemon, err := exec.LookPath("mariadbd")
	if err != nil {
		daemon = "/usr/sbin/mariadbd"
	}
	s := newServer(t, syscall.SIGTERM, "nobody")
	// A server that starts removes the temporary files of any other that has the same folder for them.
	settings := []string{"--datadir=" + s.folder + "/data", "--tmpdir=" + s.folder, "--innodb-log-file-size=8M"}
	s.run(t, "mariadb-install-db", append([]string{
		"--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db",
	}, settings...)...)
	first := filepath.Join(s.folder, "first.sql")
	require.NoError(t, os.WriteFile(first, []byte("CREATE DATABASE coffer;\n"), 0o644)) //nolint:gosec // another user reads it
	s.start(t, "ready for connections", daemon, append([]string{
		"--no-defaults", "--socket=" + s.folder + "/s", "--pid-file=" + s.folder + "/pid", "--init-file=" + first,
		"--skip-networking", "--innodb-flush-log-at-trx-commit=0",
	}, settings...)...)
	s.DSN = "root@unix(" + s.folder + "/s)/coffer"
	return s
}

// PostgreSQL starts a server. The caller stops it. Where initdb cannot be run by this user, the test is skipped.
func PostgreSQL(t testing.TB) *Server {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	require.NoError(t, err)
	require.NotEmpty(t, found, "install the package postgresql")
	bin := found[len(found)-1]
	if _, err := user.LookupId(strconv.Itoa(os.Getuid())); err != nil {
		t.Skip("initdb wants to find its user in passwd: ", err)
	}
	// SIGTERM would have it wait for its clients.
	s := newServer(t, syscall.SIGINT, "postgres", "nobody")
	s.run(t, filepath.Join(bin, "initdb"), "-D", "data", "-U", "coffer", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	s.start(t, "ready to accept connections", filepath.Join(bin, "postgres"), "-D", "data", "-F",
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+s.folder)
	s.DSN = "host=" + s.folder + " user=coffer dbname=postgres"
	return s
}

// newServer makes a folder, with a path short enough for a socket, that may outlive the test.
func newServer(t testing.TB, stop syscall.Signal, accounts ...string) *Server {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "coffer-db-") //nolint:usetesting // see above
	require.NoError(t, err)
	s := &Server{folder: folder, account: unprivileged(t, accounts), stop: stop, read: make(chan struct{})}
	if s.account != nil {
		require.NoError(t, os.Chown(folder, int(s.account.Uid), int(s.account.Gid)))
	}
	return s
}

// unprivileged is the first of the accounts that exists; nil means to run as the caller, who is not root.
func unprivileged(t testing.TB, accounts []string) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range accounts {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(account.Uid, 10, 32)
		require.NoError(t, err)
		gid, err := strconv.ParseUint(account.Gid, 10, 32)
		require.NoError(t, err)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	require.FailNow(t, "no account to run a database server as", accounts)
	return nil
}

func (s *Server) run(t testing.TB, name string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = s.folder
	command.SysProcAttr = &syscall.SysProcAttr{Credential: s.account}
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s: %s", name, output)
}

// start starts the server and waits for the line that says it is ready.
func (s *Server) start(t testing.TB, ready, name string, args ...string) {
	t.Helper()
	s.command = exec.Command(name, args...) //nolint:noctx // it may outlive the test: Stop ends it
	s.command.Dir = s.folder
	s.command.SysProcAttr = &syscall.SysProcAttr{Credential: s.account}
	log, err := s.command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, s.command.Start())
	said, answers := make(chan string, 1), false
	go func() {
		defer close(s.read)
		var before strings.Builder
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if before.WriteString(lines.Text() + "\n"); !answers && strings.Contains(lines.Text(), ready) {
				answers = true
				said <- ""
			}
		}
		if !answers {
			said <- before.String()
		}
	}()
	require.Empty(t, <-said, "%s ended before it was ready", name)
}

// Stop ends the server and removes what it held.
func (s *Server) Stop() {
	// It may have ended by itself, and nobody wants to know how.
	_ = s.command.Process.Signal(s.stop)
	<-s.read
	_ = s.command.Wait()
	_ = os.RemoveAll(s.folder)
}
