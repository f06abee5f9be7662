package e2e_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// byHandUser is a numeric user like those of local servers.
	byHandUser = 64124
	// between is the pause between two looks at something that comes about.
	between = time.Millisecond
	// handPassword is that of the accounts with which somebody works by hand.
	handPassword = "a-hand-that-rocks"
)

// byHand is a database that somebody runs without Coffer, exactly as the guest agent runs an instance's: the same
// template, program and configuration, on the same kind of volume, with paths and address of its own.
type byHand struct {
	b         *testing.B
	datastore datastore
	engine    engineByHand
	folder    string
	template  string
	program   string
	address   string
	// volume is mounted at the folder data; nil where instances have folders.
	volume  *volumeByHand
	command *exec.Cmd
	// session is the administrator's, as long as the database runs; nil before it is needed.
	session *sql.DB
}

// engineByHand is what differs between the engines for those who run them by hand.
type engineByHand interface {
	port() int
	// dataDir is the data directory's name on the volume.
	dataDir() string
	// ownSettings changes what two servers may not have in common.
	ownSettings(h *byHand, text string) string
	// arguments are those of a start, and first those that a first one has besides.
	arguments(h *byHand) []string
	first(h *byHand) []string
	// accounts makes what is missing after the first start: the database and the user of newInstance, and an account for
	// those who follow.
	accounts(h *byHand)
	stopSignal() syscall.Signal
	// started says whether it is worth while to connect.
	started(h *byHand) bool
	// login is the administrator's.
	login(h *byHand) (*sql.DB, error)
	// copyOf makes the data directory from a source that goes on working.
	copyOf(h, source *byHand)
	// follow lets a copy that was started follow its source, and waits until it does.
	follow(h, source *byHand)
	// succeed moves the source's part to a server that follows it, and lets the former source follow.
	succeed(h, source *byHand)
}

var enginesByHand = map[string]engineByHand{mariadb.name: mariadbByHand{}, postgresql.name: postgresqlByHand{}}

// newByHand takes the settings of an instance's database over.
func newByHand(b *testing.B, s *serve, m machine) *byHand {
	b.Helper()
	templates, err := filepath.Glob(filepath.Join(s.dataDir, "templates", m.datastore.name+"-*", "data"))
	require.NoError(b, err)
	require.Len(b, templates, 1)
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", m.databasePID()))
	require.NoError(b, err)
	h := &byHand{
		b: b, datastore: m.datastore, engine: enginesByHand[m.datastore.name], folder: emptyDataDir(b),
		template: templates[0], program: program,
	}
	h.address = h.freeLoopback()
	for _, name := range []string{"conf", "data"} {
		require.NoError(b, os.Mkdir(h.path(name), 0o755))
	}
	if os.Geteuid() == 0 {
		h.volume = newVolumeByHand(b, h.path("data"), mountOf(b, m.data())[2])
	}
	h.takeSettings(m)
	return h
}

// databasePID is the database's first process: PostgreSQL's others are its children.
func (m machine) databasePID() int {
	m.t.Helper()
	pids := m.pidsOf(m.datastore.program)
	require.NotEmpty(m.t, pids, "no process of %s in %s", m.datastore.program, m.folder)
	return pids[0]
}

// takeSettings writes the settings that an instance's database has now; they count from the next start.
func (h *byHand) takeSettings(m machine) {
	h.b.Helper()
	own := strings.NewReplacer(m.data(), h.path("data"), m.folder, h.folder, m.ip, h.address)
	files, err := os.ReadDir(filepath.Join(m.folder, "conf"))
	require.NoError(h.b, err)
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(m.folder, "conf", file.Name()))
		require.NoError(h.b, err)
		require.NoError(h.b, os.WriteFile(h.path("conf", file.Name()), []byte(h.engine.ownSettings(h, own.Replace(string(text)))), 0o644))
	}
}

func (h *byHand) path(names ...string) string {
	return filepath.Join(append([]string{h.folder}, names...)...)
}

func (h *byHand) dataDir() string { return h.path("data", h.engine.dataDir()) }

// machine is the server as the writers of a ledger see it.
func (h *byHand) machine() machine {
	return machine{t: h.b, datastore: h.datastore, folder: h.folder, ip: h.address}
}

// create copies the template and starts the database for the first time.
func (h *byHand) create() {
	h.b.Helper()
	h.makeFolders()
	require.NoError(h.b, copyFolder(h.template, h.dataDir()))
	h.launch(h.engine.first(h)...)
	h.engine.accounts(h)
	firstAnswer(h.b, h.datastore, h.address)
}

// createReplica copies a source and starts the copy as its replica.
func (h *byHand) createReplica(source *byHand) {
	h.b.Helper()
	h.makeFolders()
	h.engine.copyOf(h, source)
	h.start()
	h.engine.follow(h, source)
}

func (h *byHand) makeFolders() {
	h.b.Helper()
	for _, name := range []string{"run", "log", "data/tmp"} {
		require.NoError(h.b, os.Mkdir(h.path(name), 0o755))
		require.NoError(h.b, give(h.path(name)))
	}
}

// start starts the database and waits for its first answer.
func (h *byHand) start() {
	h.b.Helper()
	h.launch()
	firstAnswer(h.b, h.datastore, h.address)
}

// launch starts the database and waits until it listens.
func (h *byHand) launch(options ...string) {
	h.b.Helper()
	h.command = h.asDatabase(h.program, append(h.engine.arguments(h), options...)...)
	log, err := os.OpenFile(h.path("log", h.datastore.log), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	require.NoError(h.b, err)
	h.command.Stdout, h.command.Stderr = log, log
	require.NoError(h.b, errors.Join(h.command.Start(), log.Close()))
	h.until("its start", func() bool { return h.engine.started(h) })
}

// asDatabase is a program as the database's user, with a session of its own.
func (h *byHand) asDatabase(program string, args ...string) *exec.Cmd {
	command := exec.Command(program, args...)
	command.Dir = h.folder
	command.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() == 0 {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: byHandUser, Gid: byHandUser}
	}
	return command
}

// restart ends the database in order and starts it again.
func (h *byHand) restart() {
	h.b.Helper()
	h.stop()
	h.start()
}

func (h *byHand) stop() {
	h.b.Helper()
	if h.session != nil {
		require.NoError(h.b, h.session.Close())
		h.session = nil
	}
	require.NoError(h.b, h.command.Process.Signal(h.engine.stopSignal()))
	require.NoError(h.b, h.command.Wait())
}

// remove ends the database and takes everything of it away.
func (h *byHand) remove() {
	h.b.Helper()
	h.stop()
	for _, name := range []string{"run", "log", "data/tmp", "data/" + h.engine.dataDir()} {
		require.NoError(h.b, os.RemoveAll(h.path(name)))
	}
}

// administrator is a session that stays open from its first use on.
func (h *byHand) administrator() *sql.DB {
	h.b.Helper()
	if h.session == nil {
		var err error
		h.session, err = h.engine.login(h)
		require.NoError(h.b, err)
	}
	return h.session
}

func (h *byHand) do(statement string, args ...any) {
	h.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := h.administrator().ExecContext(ctx, statement, args...)
	require.NoError(h.b, err, statement)
}

func (h *byHand) ask(query string) (said string) {
	h.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(h.b, h.administrator().QueryRowContext(ctx, query).Scan(&said), query)
	return said
}

// until looks every moment whether something has come about.
func (h *byHand) until(what string, condition func() bool) {
	h.b.Helper()
	pause := time.NewTicker(between)
	defer pause.Stop()
	limit := time.After(patience)
	for !condition() {
		select {
		case <-pause.C:
		case <-limit:
			log, _ := os.ReadFile(h.path("log", h.datastore.log))
			require.FailNow(h.b, "waited in vain for "+what, "%s", log)
		}
	}
}

// betweenLogins is the pause between two questions to a database that starts: asked more often, it would start more
// slowly, since who asks takes the processors from it. PostgreSQL pays besides for each question that comes too early with
// a process.
var betweenLogins = map[string]time.Duration{mariadb.name: 2 * time.Millisecond, postgresql.name: 5 * time.Millisecond}

// firstAnswer asks until the user of newInstance gets an answer from its database.
func firstAnswer(b *testing.B, d datastore, ip string) {
	b.Helper()
	db, err := d.open(ip)
	require.NoError(b, err)
	defer func() { require.NoError(b, db.Close()) }()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	pause := time.NewTicker(betweenLogins[d.name])
	defer pause.Stop()
	for {
		var one int
		err := db.QueryRowContext(ctx, "SELECT 1").Scan(&one)
		if err == nil {
			return
		}
		require.NoError(b, ctx.Err(), "no answer from %s: %v", ip, err)
		<-pause.C
	}
}

// byHands is how many servers were run by hand.
var byHands int

// freeLoopback is an address of 127.0.0.0/8 that no other server by hand has, and on which nobody has the engine's port.
func (h *byHand) freeLoopback() string {
	h.b.Helper()
	for byHands < 254 {
		byHands++
		ip := fmt.Sprintf("127.254.%d.%d", os.Getpid()%256, byHands)
		listener, err := listen(net.JoinHostPort(ip, strconv.Itoa(h.engine.port())))
		if err == nil {
			require.NoError(h.b, listener.Close())
			return ip
		}
	}
	require.FailNow(h.b, "no loopback address is free")
	return ""
}
