package e2e_test

import (
	"database/sql"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// state says where an api keeps its state, as its configuration does.
type state struct{ driver, dsn string }

// mariadbState starts a MariaDB server of its own for the length of the test.
func mariadbState(t testing.TB) state {
	t.Helper()
	daemon, err := exec.LookPath("mariadbd")
	if err != nil {
		daemon = "/usr/sbin/mariadbd"
	}
	account := unprivileged(t, "nobody")
	dir := stateFolder(t, account)
	runAs(t, account, dir, "mariadb-install-db", "--no-defaults", "--datadir="+dir+"/data",
		"--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=8M")
	serveAs(t, account, dir, "ready for connections", daemon, "--no-defaults", "--datadir="+dir+"/data",
		"--socket="+dir+"/socket", "--pid-file="+dir+"/pid", "--skip-networking", "--innodb-log-file-size=8M")
	server := "root@unix(" + dir + "/socket)/"
	admin, err := sql.Open("mysql", server)
	require.NoError(t, err)
	_, err = admin.ExecContext(t.Context(), "CREATE DATABASE coffer")
	require.NoError(t, err)
	require.NoError(t, admin.Close())
	return state{driver: "mysql", dsn: server + "coffer"}
}

// postgresState starts a PostgreSQL server of its own for the length of the test.
func postgresState(t testing.TB) state {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	require.NoError(t, err)
	require.NotEmpty(t, found, "install the package postgresql")
	bin := found[len(found)-1]
	if _, err := user.LookupId(strconv.Itoa(os.Getuid())); err != nil {
		t.Skip("initdb wants to find its user in passwd: ", err)
	}
	account := unprivileged(t, "postgres", "nobody")
	dir := stateFolder(t, account)
	runAs(t, account, dir, filepath.Join(bin, "initdb"), "-D", "data", "-U", "coffer", "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--no-sync")
	serveAs(t, account, dir, "ready to accept connections", filepath.Join(bin, "postgres"), "-D", "data",
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+dir)
	return state{driver: "postgres", dsn: "host=" + dir + " user=coffer dbname=postgres"}
}

// unprivileged is the first of the accounts that exists: database servers refuse to run as root. Nil means to run as
// the caller, who is not root.
func unprivileged(t testing.TB, accounts ...string) *syscall.Credential {
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

// stateFolder has a path short enough for a socket.
func stateFolder(t testing.TB, account *syscall.Credential) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "coffer-state-") //nolint:usetesting // see above
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	if account != nil {
		require.NoError(t, os.Chown(dir, int(account.Uid), int(account.Gid)))
	}
	return dir
}

func runAs(t testing.TB, account *syscall.Credential, dir, name string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = dir
	command.SysProcAttr = &syscall.SysProcAttr{Credential: account}
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s: %s", name, output)
}

func serveAs(t testing.TB, account *syscall.Credential, dir, ready, name string, args ...string) {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = dir
	command.SysProcAttr = &syscall.SysProcAttr{Credential: account}
	server := launch(t, filepath.Base(name)+" of the state", command)
	// MariaDB ends by SIGTERM alone; PostgreSQL then waits for its clients, until the SIGINT that each process gets.
	t.Cleanup(func() { _ = server.command.Process.Signal(syscall.SIGTERM) })
	server.awaitLine(ready)
}
