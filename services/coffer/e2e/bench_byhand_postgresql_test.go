package e2e_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/stretchr/testify/require"
)

type postgresqlByHand struct{}

func (postgresqlByHand) port() int                                 { return 5432 }
func (postgresqlByHand) dataDir() string                           { return "postgresql" }
func (postgresqlByHand) stopSignal() syscall.Signal                { return syscall.SIGINT }
func (postgresqlByHand) ownSettings(_ *byHand, text string) string { return text }

func (postgresqlByHand) arguments(h *byHand) []string {
	return []string{"--config_file=" + h.path("conf/postgresql.conf"), "--unix_socket_directories=" + h.path("run")}
}

func (postgresqlByHand) first(*byHand) []string { return nil }

func (postgresqlByHand) accounts(h *byHand) {
	h.b.Helper()
	h.do("CREATE ROLE keeper LOGIN PASSWORD '" + userPassword + "'")
	h.do("CREATE DATABASE shop OWNER keeper")
	// The group is the one that the settings let in.
	h.do("CREATE ROLE follower LOGIN REPLICATION PASSWORD '" + handPassword + "' IN ROLE coffer_replicas")
}

// started reads what the server writes of itself: each connection that comes too early would cost it a process.
func (postgresqlByHand) started(h *byHand) bool {
	text, err := os.ReadFile(filepath.Join(h.dataDir(), "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	pid, status := lines[0], strings.TrimSpace(lines[min(7, len(lines)-1)])
	return pid == strconv.Itoa(h.command.Process.Pid) && (status == "ready" || status == "standby")
}

// login is as the template's superuser, whom the settings let in by the socket.
func (postgresqlByHand) login(h *byHand) (*sql.DB, error) {
	return sql.Open("pgx", "user=os_admin dbname=postgres sslmode=disable host="+h.path("run"))
}

func (p postgresqlByHand) copyOf(h, source *byHand) {
	h.b.Helper()
	require.NoError(h.b, os.Mkdir(h.dataDir(), 0o700))
	require.NoError(h.b, give(h.dataDir()))
	output, err := h.asDatabase(filepath.Join(filepath.Dir(h.program), "pg_basebackup"), "--pgdata="+h.dataDir(), "--dbname="+p.way(source),
		"--checkpoint=fast", "--wal-method=stream").CombinedOutput()
	require.NoError(h.b, err, string(output))
	p.pointTo(h, source)
}

// way is how to reach a source.
func (p postgresqlByHand) way(source *byHand) string {
	return fmt.Sprintf("host=%s port=%d user=follower password=%s sslmode=disable", source.address, p.port(), handPassword)
}

// pointTo makes a server that does not run one that follows.
func (p postgresqlByHand) pointTo(h, source *byHand) {
	h.b.Helper()
	settings := filepath.Join(h.dataDir(), "postgresql.auto.conf")
	require.NoError(h.b, os.WriteFile(settings, []byte("primary_conninfo = '"+p.way(source)+"'\n"), 0o600))
	signal := filepath.Join(h.dataDir(), "standby.signal")
	require.NoError(h.b, os.WriteFile(signal, nil, 0o600))
	require.NoError(h.b, give(settings))
	require.NoError(h.b, give(signal))
}

func (postgresqlByHand) follow(h, _ *byHand) {
	h.b.Helper()
	h.until("the replica to follow", func() bool {
		return h.ask("SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'") == "1"
	})
}

var lastCheckpoint = regexp.MustCompile(`Latest checkpoint location: +(\S+)`)

// succeed waits, as the guest agent does, until the replica has applied the record with which the source ended.
func (p postgresqlByHand) succeed(h, source *byHand) {
	h.b.Helper()
	source.do("CHECKPOINT")
	source.stop()
	said, err := h.asDatabase(filepath.Join(filepath.Dir(h.program), "pg_controldata"), source.dataDir()).Output()
	require.NoError(h.b, err)
	end := lastCheckpoint.FindSubmatch(said)
	require.NotNil(h.b, end, string(said))
	h.until("the replica to be level", func() bool {
		return h.ask(fmt.Sprintf("SELECT pg_last_wal_replay_lsn() > '%s'", end[1])) == "true"
	})
	h.do("SELECT pg_promote(false)")
	p.pointTo(source, h)
	source.start()
	p.follow(source, h)
}
