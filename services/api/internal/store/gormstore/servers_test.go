package gormstore_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api/internal/store/gormstore"
)

// The tests run on servers of their own, started when first needed and ended with the package's run.
var servers struct {
	postgres, mariadb sync.Once
	postgresConfig    gormstore.Config
	mariadbConfig     gormstore.Config
	stop              []func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, stop := range servers.stop {
		stop()
	}
	os.Exit(code)
}

func postgres(t *testing.T) gormstore.Config {
	t.Helper()
	servers.postgres.Do(func() {
		found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
		require.NoError(t, err)
		require.NotEmpty(t, found, "install the package postgresql")
		bin := found[len(found)-1]
		owner := unprivileged(t, "postgres", "nobody")
		dir := serverFolder(t, owner)
		run(t, owner, dir, filepath.Join(bin, "initdb"), "-D", "data", "-U", "coffer", "-A", "trust", "-E", "UTF8",
			"--locale=C.UTF-8", "--no-sync")
		serve(t, owner, dir, "ready to accept connections", filepath.Join(bin, "postgres"), "-D", "data", "-F",
			"-c", "listen_addresses=", "-c", "unix_socket_directories="+dir)
		servers.postgresConfig = gormstore.Config{
			Driver: gormstore.DriverPostgres, DSN: "host=" + dir + " user=coffer dbname=postgres",
		}
		require.NoError(t, gormstore.Migrate(t.Context(), servers.postgresConfig))
	})
	return servers.postgresConfig
}

func mariadb(t *testing.T) gormstore.Config {
	t.Helper()
	servers.mariadb.Do(func() {
		daemon, err := exec.LookPath("mariadbd")
		if err != nil {
			daemon = "/usr/sbin/mariadbd"
		}
		owner := unprivileged(t, "nobody")
		dir := serverFolder(t, owner)
		run(t, owner, dir, "mariadb-install-db", "--no-defaults", "--datadir="+dir+"/data",
			"--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=8M")
		serve(t, owner, dir, "ready for connections", daemon, "--no-defaults", "--datadir="+dir+"/data",
			"--socket="+dir+"/s", "--pid-file="+dir+"/pid", "--skip-networking", "--innodb-flush-log-at-trx-commit=0",
			"--innodb-log-file-size=8M")
		dsn := "root@unix(" + dir + "/s)/"
		admin, err := sql.Open("mysql", dsn)
		require.NoError(t, err)
		_, err = admin.ExecContext(t.Context(), "CREATE DATABASE coffer")
		require.NoError(t, err)
		require.NoError(t, admin.Close())
		servers.mariadbConfig = gormstore.Config{Driver: gormstore.DriverMySQL, DSN: dsn + "coffer"}
		require.NoError(t, gormstore.Migrate(t.Context(), servers.mariadbConfig))
	})
	return servers.mariadbConfig
}

// unprivileged is the first of the accounts that exists; nil means to run as the caller, who is not root.
func unprivileged(t *testing.T, accounts ...string) *syscall.Credential {
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
	t.Fatalf("no account of %v exists", accounts)
	return nil
}

// serverFolder outlives the test that made it, and has a path short enough for a socket.
func serverFolder(t *testing.T, owner *syscall.Credential) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "coffer-store-") //nolint:usetesting // see above
	require.NoError(t, err)
	servers.stop = append(servers.stop, func() { _ = os.RemoveAll(dir) })
	if owner != nil {
		require.NoError(t, os.Chown(dir, int(owner.Uid), int(owner.Gid)))
	}
	return dir
}

func run(t *testing.T, owner *syscall.Credential, dir, name string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = dir
	command.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	output, err := command.CombinedOutput()
	require.NoError(t, err, "%s: %s", name, output)
}

// serve starts a server and waits for the line that says it is ready.
func serve(t *testing.T, owner *syscall.Credential, dir, ready, name string, args ...string) {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = dir
	command.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
	log, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	answers := make(chan bool, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if strings.Contains(lines.Text(), ready) {
				answers <- true
			}
		}
		close(answers)
	}()
	stop := func() {
		// Both end at once and in order; what they held is not needed any more.
		_ = command.Process.Signal(syscall.SIGTERM)
		<-read
		_ = command.Wait()
	}
	servers.stop = slices.Insert(servers.stop, 0, stop)
	require.True(t, <-answers, "%s ended before it was ready", name)
}

// empty takes everything out of a migrated database.
func empty(t *testing.T, cfg gormstore.Config) {
	t.Helper()
	name := map[string]string{gormstore.DriverPostgres: "pgx", gormstore.DriverMySQL: "mysql"}[cfg.Driver]
	db, err := sql.Open(name, cfg.DSN)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for _, table := range []string{
		"idempotency_keys", "task_secrets", "task_members", "tasks", "instances", "quota_usage", "quota_limits", "outbox", "monitors",
		"datastore_versions", "datastores", "provider", "tokens",
	} {
		_, err := db.ExecContext(t.Context(), fmt.Sprintf("DELETE FROM %s", table))
		require.NoError(t, err)
	}
}
