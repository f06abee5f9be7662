package e2e_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// machine is a local server seen from outside.
type machine struct {
	t         testing.TB
	datastore datastore
	folder    string
	ip        string
}

func (s *serve) machine(i instance) machine {
	s.t.Helper()
	require.Len(s.t, i.IP, 1)
	folder := s.servers
	if folder == "" {
		var err error
		folder, err = filepath.EvalSymlinks(filepath.Join(s.dataDir, "servers"))
		require.NoError(s.t, err)
	}
	at := slices.IndexFunc(everyDatastore, func(d datastore) bool { return d.name == i.Datastore.Type })
	require.GreaterOrEqual(s.t, at, 0, "datastore %q", i.Datastore.Type)
	return machine{t: s.t, datastore: everyDatastore[at], folder: filepath.Join(folder, i.ID), ip: i.IP[0]}
}

// pidOf is the one process of the server whose program has this name.
func (m machine) pidOf(program string) int {
	m.t.Helper()
	pids := m.pidsOf(program)
	require.Len(m.t, pids, 1, "processes of %s in %s", program, m.folder)
	return pids[0]
}

func (m machine) pidsOf(program string) []int {
	m.t.Helper()
	var found []int
	for _, pid := range processesOf(m.t, m.folder) {
		line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if err != nil {
			continue
		}
		first, _, _ := strings.Cut(string(line), "\x00")
		if filepath.Base(first) == program {
			found = append(found, pid)
		}
	}
	// A child has its parent's command line until it begins its own program.
	return slices.DeleteFunc(found, func(pid int) bool { return slices.Contains(found, parentOf(pid)) })
}

// hang stops all processes of the server.
func (m machine) hang() {
	m.t.Helper()
	stopAllOf(m.t, m.folder)
}

// wake lets a server that hangs go on.
func (m machine) wake() {
	m.t.Helper()
	for _, pid := range processesOf(m.t, m.folder) {
		signalled(m.t, pid, syscall.SIGCONT)
	}
}

// powerOff ends all processes of the server at one instant, so that none of them starts another one again.
func (m machine) powerOff() {
	m.t.Helper()
	killAllOf(m.t, m.folder)
}

// awaitWhole waits until the server's agent runs and its database answers.
func (m machine) awaitWhole() {
	m.t.Helper()
	within(m.t, "the agent and the database in "+m.folder, func() bool {
		return len(m.pidsOf("coffer-guestagent")) == 1 && m.answers()
	})
}

// databaseStarts counts how often the database was ready, by its own log.
func (m machine) databaseStarts() int {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.folder, "log", m.datastore.log))
	require.NoError(m.t, err)
	return bytes.Count(text, []byte(m.datastore.ready))
}

// open connects to the instance's database as its user.
func (m machine) open() *sql.DB {
	m.t.Helper()
	db := m.connect()
	// The database may have died meanwhile, and its connections with it.
	m.t.Cleanup(func() { _ = db.Close() })
	return db
}

func (m machine) connect() *sql.DB {
	m.t.Helper()
	db, err := m.datastore.open(m.ip)
	require.NoError(m.t, err)
	return db
}

// remember writes rows that must outlive whatever the test does.
func (m machine) remember(words ...string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db := m.open()
	_, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS memory (word VARCHAR(64) PRIMARY KEY)")
	require.NoError(m.t, err)
	for _, word := range words {
		_, err := db.ExecContext(ctx, "INSERT INTO memory VALUES ("+m.datastore.parameter+")", word)
		require.NoError(m.t, err)
	}
}

// remembered are the rows, sorted.
func (m machine) remembered() []string {
	m.t.Helper()
	words, err := m.words()
	require.NoError(m.t, err)
	return words
}

func (m machine) words() (words []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db := m.connect()
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, "SELECT word FROM memory ORDER BY word")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var word string
		if err := rows.Scan(&word); err != nil {
			return nil, err
		}
		words = append(words, word)
	}
	return words, rows.Err()
}

// awaitRemembered waits until the rows are these: a replica has them a moment later.
func (m machine) awaitRemembered(words ...string) {
	m.t.Helper()
	within(m.t, fmt.Sprintf("%s to have %v", m.ip, words), func() bool {
		now, err := m.words()
		return err == nil && slices.Equal(now, words)
	})
}

// writable says whether the database accepts a write of its user at this moment; the row that proves it goes again.
func (m machine) writable() bool {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db := m.connect()
	defer func() { require.NoError(m.t, db.Close()) }()
	for _, statement := range []string{"CREATE TABLE probe (x INT)", "DROP TABLE probe"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return false
		}
	}
	return true
}

// awaitWritable waits until the database accepts writes.
func (m machine) awaitWritable() {
	m.t.Helper()
	within(m.t, m.ip+" to accept writes", m.writable)
}

// answers says whether the database answers a query now.
func (m machine) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db := m.connect()
	defer func() { require.NoError(m.t, db.Close()) }()
	return db.PingContext(ctx) == nil
}
