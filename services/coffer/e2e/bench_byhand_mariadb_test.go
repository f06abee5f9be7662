package e2e_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
)

type mariadbByHand struct{}

func (mariadbByHand) port() int                  { return 3306 }
func (mariadbByHand) dataDir() string            { return "mysql" }
func (mariadbByHand) stopSignal() syscall.Signal { return syscall.SIGTERM }

var serverID = regexp.MustCompile(`(?m)^server_id = .*$`)

// ownSettings has a server id of its own: that of the instance would be the same for all that are run by hand like it.
func (mariadbByHand) ownSettings(_ *byHand, text string) string {
	return serverID.ReplaceAllString(text, fmt.Sprintf("server_id = %d", byHands))
}

func (m mariadbByHand) arguments(h *byHand) []string {
	return []string{"--defaults-file=" + h.path("conf/mariadbd.cnf"), "--socket=" + m.socket(h)}
}

func (mariadbByHand) socket(h *byHand) string { return h.path("run/mariadbd.sock") }

// firstStart is what the guest agent has the server told at first, and what it does itself after that.
const firstStart = `CREATE DATABASE shop;
CREATE USER keeper@'%%' IDENTIFIED BY '%[1]s';
GRANT ALL PRIVILEGES ON shop.* TO keeper@'%%';
CREATE USER hand@localhost IDENTIFIED BY '%[2]s';
GRANT ALL PRIVILEGES ON *.* TO hand@localhost;
CREATE USER follower@'%%' IDENTIFIED BY '%[2]s';
GRANT REPLICATION SLAVE ON *.* TO follower@'%%';
SET GLOBAL read_only = 0;
`

func (mariadbByHand) first(h *byHand) []string {
	path := h.path("conf/first-start.sql")
	require.NoError(h.b, os.WriteFile(path, fmt.Appendf(nil, firstStart, userPassword, handPassword), 0o644))
	return []string{"--init-file=" + path}
}

// accounts has nothing to do: the first start made them.
func (mariadbByHand) accounts(*byHand) {}

// started does not wait: connections are refused until it is.
func (mariadbByHand) started(*byHand) bool { return true }

func (m mariadbByHand) login(h *byHand) (*sql.DB, error) {
	config := mysql.NewConfig()
	config.User, config.Passwd, config.Net, config.Addr = "hand", handPassword, "unix", m.socket(h)
	config.InterpolateParams = true
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// copyOf streams mariadb-backup into mbstream, with the guest agent's options, and prepares the copy.
func (m mariadbByHand) copyOf(h, source *byHand) {
	h.b.Helper()
	require.NoError(h.b, os.Mkdir(h.dataDir(), 0o700))
	require.NoError(h.b, give(h.dataDir()))
	options := h.path("conf/backup.cnf")
	require.NoError(h.b, os.WriteFile(options, []byte("[mariadb-backup]\nuser=hand\npassword="+handPassword+"\n"), 0o644))
	var said bytes.Buffer
	backup := h.asDatabase("mariadb-backup", "--defaults-file="+options, "--backup", "--stream=mbstream",
		"--socket="+m.socket(source), "--datadir="+source.dataDir(), "--tmpdir="+h.path("data/tmp"), "--log-copy-interval=10")
	unpack := h.asDatabase("mbstream", "-x", "-C", h.dataDir())
	stream, err := backup.StdoutPipe()
	require.NoError(h.b, err)
	backup.Stderr, unpack.Stdin = &said, stream
	require.NoError(h.b, backup.Start())
	output, err := unpack.CombinedOutput()
	require.NoError(h.b, err, string(output))
	require.NoError(h.b, backup.Wait(), said.String())
	output, err = h.asDatabase("mariadb-backup", "--no-defaults", "--prepare", "--target-dir="+h.dataDir()).CombinedOutput()
	require.NoError(h.b, err, string(output))
}

// follow begins where the copy ends.
func (m mariadbByHand) follow(h, source *byHand) {
	h.b.Helper()
	notes, err := fs.Glob(os.DirFS(h.dataDir()), "*_binlog_info")
	require.NoError(h.b, err)
	require.NotEmpty(h.b, notes)
	text, err := os.ReadFile(filepath.Join(h.dataDir(), notes[0]))
	require.NoError(h.b, err)
	fields := strings.Fields(string(text))
	require.Len(h.b, fields, 3, string(text))
	m.followFrom(h, source, fields[2])
}

func (m mariadbByHand) followFrom(h, source *byHand, position string) {
	h.b.Helper()
	h.do("SET GLOBAL gtid_slave_pos = ?", position)
	h.do("CHANGE MASTER TO MASTER_HOST = ?, MASTER_PORT = ?, MASTER_USER = 'follower', MASTER_PASSWORD = ?, MASTER_USE_GTID = slave_pos",
		source.address, m.port(), handPassword)
	h.do("START SLAVE")
	h.until("the replica to follow", func() bool {
		return h.ask("SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'SLAVE_RUNNING'") == "ON"
	})
}

func (m mariadbByHand) succeed(h, source *byHand) {
	h.b.Helper()
	source.do("SET GLOBAL read_only = 1")
	position := source.ask("SELECT @@GLOBAL.gtid_current_pos")
	require.Equal(h.b, "0", h.ask(fmt.Sprintf("SELECT MASTER_GTID_WAIT('%s', %.0f)", position, patience.Seconds())))
	h.do("STOP SLAVE")
	h.do("RESET SLAVE ALL")
	h.do("SET GLOBAL read_only = 0")
	m.followFrom(source, h, position)
}
