package e2e_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

const (
	// byHandUser is a numeric user like those of local servers.
	byHandUser = 64124
	// copiers is how many files the guest agent copies at once.
	copiers = 4
	// between is the pause between two questions to a database that starts.
	between = time.Millisecond
)

// byHand is a MariaDB that somebody runs without Coffer, exactly as the guest agent runs an instance's: the same
// template, program and configuration, with paths and address of its own.
type byHand struct {
	b        *testing.B
	folder   string
	template string
	program  string
	command  *exec.Cmd
	address  string
}

// newByHand takes the settings of an instance's database over.
func newByHand(b *testing.B, s *serve, m machine) *byHand {
	b.Helper()
	templates, err := filepath.Glob(filepath.Join(s.dataDir, "templates", "mariadb-*", "data"))
	require.NoError(b, err)
	require.Len(b, templates, 1)
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", m.pidOf("mariadbd")))
	require.NoError(b, err)
	folder := newDataDir(b)
	h := &byHand{b: b, folder: folder, template: templates[0], program: program, address: freeLoopback(b)}
	settings, err := os.ReadFile(filepath.Join(m.folder, "conf", "mariadbd.cnf"))
	require.NoError(b, err)
	data, err := filepath.EvalSymlinks(filepath.Join(m.folder, "data"))
	require.NoError(b, err)
	text := strings.NewReplacer(data, h.path("data"), m.folder, folder, m.ip, h.address).Replace(string(settings))
	require.NoError(b, os.WriteFile(h.path("mariadbd.cnf"), []byte(text), 0o644))
	require.NoError(b, os.WriteFile(h.path("first-start.sql"), []byte(
		"CREATE USER keeper@localhost IDENTIFIED BY '"+userPassword+"';\nGRANT ALL PRIVILEGES ON *.* TO keeper@localhost;\n"), 0o644))
	return h
}

func (h *byHand) path(name string) string { return filepath.Join(h.folder, name) }

// create copies the template and starts the database for the first time.
func (h *byHand) create() {
	h.b.Helper()
	for _, name := range []string{"data", "run", "log"} {
		require.NoError(h.b, os.Mkdir(h.path(name), 0o755))
		require.NoError(h.b, give(h.path(name)))
	}
	require.NoError(h.b, copyFolder(h.template, h.path("data/mysql")))
	require.NoError(h.b, os.Mkdir(h.path("data/tmp"), 0o700))
	require.NoError(h.b, give(h.path("data/tmp")))
	h.start("--init-file=" + h.path("first-start.sql"))
}

// start starts the database and waits for its first answer.
func (h *byHand) start(options ...string) {
	h.b.Helper()
	h.command = exec.Command(h.program, append([]string{"--defaults-file=" + h.path("mariadbd.cnf"), "--socket=" + h.socket()}, options...)...)
	h.command.Dir = h.folder
	h.command.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	h.command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() == 0 {
		h.command.SysProcAttr.Credential = &syscall.Credential{Uid: byHandUser, Gid: byHandUser}
	}
	log, err := os.OpenFile(h.path("log/mariadbd.log"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	require.NoError(h.b, err)
	h.command.Stdout, h.command.Stderr = log, log
	require.NoError(h.b, errors.Join(h.command.Start(), log.Close()))
	firstAnswer(h.b, "unix", h.socket(), "")
}

// restart ends the database in order and starts it again.
func (h *byHand) restart() {
	h.b.Helper()
	h.stop()
	h.start()
}

func (h *byHand) stop() {
	h.b.Helper()
	require.NoError(h.b, h.command.Process.Signal(syscall.SIGTERM))
	require.NoError(h.b, h.command.Wait())
}

// remove ends the database and takes everything of it away.
func (h *byHand) remove() {
	h.b.Helper()
	h.stop()
	for _, name := range []string{"data", "run", "log"} {
		require.NoError(h.b, os.RemoveAll(h.path(name)))
	}
}

func (h *byHand) socket() string { return h.path("run/mariadbd.sock") }

// firstAnswer asks until the user of the tests gets an answer.
func firstAnswer(b *testing.B, network, address, database string) {
	b.Helper()
	config := mysql.NewConfig()
	config.User, config.Passwd, config.DBName = "keeper", userPassword, database
	config.Net, config.Addr = network, address
	config.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(config)
	require.NoError(b, err)
	db := sql.OpenDB(connector)
	defer func() { require.NoError(b, db.Close()) }()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	pause := time.NewTicker(between)
	defer pause.Stop()
	for {
		var one int
		err := db.QueryRowContext(ctx, "SELECT 1").Scan(&one)
		if err == nil {
			return
		}
		require.NoError(b, ctx.Err(), "no answer from %s: %v", address, err)
		<-pause.C
	}
}

// copyFolder copies as the guest agent does: several files at once, by shared blocks where the file system has them.
func copyFolder(from, to string) error {
	var group errgroup.Group
	group.SetLimit(copiers)
	walk := filepath.WalkDir(from, func(path string, item fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := to + strings.TrimPrefix(path, from)
		if item.IsDir() {
			return errors.Join(os.Mkdir(target, 0o700), give(target))
		}
		group.Go(func() error { return errors.Join(copyFile(path, target), give(target)) })
		return nil
	})
	return errors.Join(group.Wait(), walk)
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if unix.IoctlFileClone(int(target.Fd()), int(source.Fd())) != nil {
		_, err = io.Copy(target, source)
	}
	return errors.Join(err, target.Close())
}

// give makes a file the database's own, when we may.
func give(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Lchown(path, byHandUser, byHandUser)
}

// freeLoopback is an address of 127.0.0.0/8 on which nobody has MariaDB's port.
func freeLoopback(b *testing.B) string {
	b.Helper()
	for last := 1; last < 255; last++ {
		ip := fmt.Sprintf("127.254.%d.%d", os.Getpid()%256, last)
		listener, err := listen(net.JoinHostPort(ip, "3306"))
		if err == nil {
			require.NoError(b, listener.Close())
			return ip
		}
	}
	require.FailNow(b, "no loopback address is free")
	return ""
}
