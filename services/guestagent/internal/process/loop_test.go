package process_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/process"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shell is a database made of a shell script: it answers while the file it makes is there.
type shell struct {
	dir    string
	script string
	// broken makes Command fail.
	broken atomic.Bool
}

const (
	serves = `trap 'rm -f up; exit 0' TERM; : > up; while :; do sleep 0.01; done`
	deaf   = `trap '' TERM; : > up; while :; do sleep 0.01; done`
	mute   = `trap '' TERM; while :; do sleep 0.01; done`
	dies   = `exit 7`
)

func (s *shell) Command() (proc.Command, error) {
	if s.broken.Load() {
		return proc.Command{}, errors.New("no program")
	}
	return proc.Command{
		Path: "/bin/sh", Args: []string{"-c", s.script, s.Mark()}, Dir: s.dir, Env: []string{"PATH=/usr/bin:/bin"},
	}, nil
}
func (s *shell) Mark() string               { return s.dir }
func (s *shell) StopSignal() syscall.Signal { return syscall.SIGTERM }
func (s *shell) Disconnect()                {}
func (s *shell) Signs() string              { return s.dir }
func (s *shell) LastError() string          { return "the log's last words" }
func (s *shell) Answers(context.Context) error {
	_, err := os.Stat(filepath.Join(s.dir, "up"))
	return err
}

type fixture struct {
	*process.Loop

	t        *testing.T
	database *shell
	config   process.Config
	end      func()
}

func newFixture(t *testing.T, script string) *fixture {
	t.Helper()
	dir := t.TempDir()
	f := &fixture{t: t, database: &shell{dir: dir, script: script}, config: process.Config{
		StatePath: filepath.Join(dir, "process.json"), Log: slog.New(slog.DiscardHandler),
		ProbeInterval: 5 * time.Millisecond, Backoff: time.Millisecond, BackoffLimit: 4 * time.Millisecond,
	}}
	t.Cleanup(func() {
		found, err := proc.FindByArgument(dir)
		require.NoError(t, err)
		require.NoError(t, proc.Kill(context.Background(), found...))
	})
	f.begin()
	t.Cleanup(func() { f.end() })
	return f
}

// begin is a new life of the agent.
func (f *fixture) begin() {
	f.t.Helper()
	f.config.Hub = report.NewHub(report.Status{Service: status.ServiceNew})
	loop, err := process.New(f.config, f.database)
	require.NoError(f.t, err)
	f.Loop = loop
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- loop.Run(ctx) }()
	f.end = func() {
		cancel()
		assert.NoError(f.t, <-ended)
		f.end = func() {}
	}
}

func (f *fixture) ctx() context.Context {
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	f.t.Cleanup(cancel)
	return ctx
}

// await waits for a report and gives it.
func (f *fixture) await(wished func(report.Report) bool) report.Report {
	f.t.Helper()
	for seen, ctx := uint64(0), f.ctx(); ; {
		reports, changed := f.config.Hub.After(seen)
		for _, r := range reports {
			if seen = r.Sequence; wished(r) {
				return r
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			require.FailNow(f.t, "no such report", "%+v", f.config.Hub.Latest())
		}
	}
}

func healthy(r report.Report) bool { return r.Service == status.ServiceHealthy }

func TestADatabaseThatFailsToStartSaysWhyAndIsTriedAgain(t *testing.T) {
	f := newFixture(t, dies)
	err := f.RequestAndWaitStart(f.ctx())
	require.True(t, errs.IsReason(err, "DATABASE_NOT_STARTED"), "%v", err)
	assert.Equal(t, "The database did not start: its process exited with 7. Its log says: the log's last words", err.Error())
	f.await(func(r report.Report) bool { return r.Starts >= 4 && r.Service == status.ServiceCrashed })
	require.NoError(t, f.RequestAndWaitStop(f.ctx()))
	starts := f.Starts()
	assert.Equal(t, status.ServiceShutdown, f.config.Hub.Latest().Service)
	f.end()
	f.begin()
	assert.Equal(t, starts, f.Starts())
}

func TestAMissingProgramIsTriedAgainUntilItIsThere(t *testing.T) {
	f := newFixture(t, serves)
	f.database.broken.Store(true)
	require.True(t, errs.IsReason(f.RequestAndWaitStart(f.ctx()), "DATABASE_NOT_STARTED"))
	f.database.broken.Store(false)
	assert.EqualValues(t, 1, f.await(healthy).Starts)
}

func TestADeafDatabaseIsKilledWhenItsTimeIsUp(t *testing.T) {
	f := newFixture(t, deaf)
	f.end()
	f.config.StopLimit = 20 * time.Millisecond
	f.begin()
	require.NoError(t, f.RequestAndWaitStart(f.ctx()))
	require.NoError(t, f.RequestAndWaitRestart(f.ctx()))
	assert.EqualValues(t, 2, f.Starts())
	require.NoError(t, f.RequestAndWaitStop(f.ctx()))
	assert.Zero(t, f.config.Hub.Latest().PID)
}

func TestHaltingKeepsTheWantedState(t *testing.T) {
	f := newFixture(t, serves)
	require.NoError(t, f.RequestAndWaitStart(f.ctx()))
	require.NoError(t, f.RequestAndWaitHalt(f.ctx()))
	assert.Equal(t, status.ServiceShutdown, f.config.Hub.Latest().Service)
	f.end()
	f.begin()
	assert.EqualValues(t, 2, f.await(healthy).Starts)
}

func TestAProcessWhoseRecordWasNeverSavedIsFoundAndCountedOnce(t *testing.T) {
	f := newFixture(t, serves)
	require.NoError(t, f.RequestAndWaitStart(f.ctx()))
	pid := f.config.Hub.Latest().PID
	f.end()
	// As if the agent had died between the start and the writing of its record.
	state := []byte(`{"wanted":"running","starts":0,"process":{}}`)
	require.NoError(t, os.WriteFile(f.config.StatePath, state, 0o600))
	for range 2 {
		f.begin()
		r := f.await(healthy)
		assert.Equal(t, pid, r.PID)
		assert.EqualValues(t, 1, r.Starts)
		f.end()
	}
}

func TestAProcessThatShallNotRunIsStoppedWhenItIsFound(t *testing.T) {
	for _, wanted := range []string{"stopped", "fenced"} {
		f := newFixture(t, serves)
		require.NoError(t, f.RequestAndWaitStart(f.ctx()))
		f.end()
		require.NoError(t, os.WriteFile(f.config.StatePath, []byte(`{"wanted":"`+wanted+`"}`), 0o600))
		f.begin()
		f.await(func(r report.Report) bool { return r.Service == status.ServiceShutdown && r.PID == 0 })
	}
}

func TestADatabaseThatStopsAnsweringIsReportedAsCrashedUntilItAnswersAgain(t *testing.T) {
	f := newFixture(t, serves)
	require.NoError(t, f.RequestAndWaitStart(f.ctx()))
	pid := f.config.Hub.Latest().PID
	require.NoError(t, os.Remove(filepath.Join(f.database.dir, "up")))
	f.end()
	f.config.SilenceLimit = 50 * time.Millisecond
	f.begin() // beside a database that hangs
	for range 2 {
		hung := f.await(func(r report.Report) bool { return r.Service == status.ServiceCrashed })
		assert.Equal(t, pid, hung.PID)
		assert.Contains(t, hung.Message, "does not answer")
		require.NoError(t, os.WriteFile(filepath.Join(f.database.dir, "up"), nil, 0o600))
		back := f.await(func(r report.Report) bool { return r.Sequence > hung.Sequence && healthy(r) })
		assert.Equal(t, pid, back.PID)
		assert.Empty(t, back.Message)
		require.NoError(t, os.Remove(filepath.Join(f.database.dir, "up")))
	}
	assert.EqualValues(t, 1, f.Starts())
}

func TestACommandToAnEndedLoopIsAnswered(t *testing.T) {
	f := newFixture(t, serves)
	f.end()
	assert.True(t, errs.IsReason(f.RequestAndWaitStart(f.ctx()), "AGENT_STOPPING"))
}

func TestADatabaseThatMissesTheSignalWhileItStartsIsNotWaitedForLong(t *testing.T) {
	f := newFixture(t, mute)
	f.end()
	f.config.StopLimit, f.config.AbortLimit = time.Hour, 20*time.Millisecond
	f.begin()
	ctx, cancel := context.WithCancel(f.ctx())
	go func() { _ = f.RequestAndWaitStart(ctx) }()
	f.await(func(r report.Report) bool { return r.PID != 0 })
	cancel()
	require.NoError(t, f.RequestAndWaitStop(f.ctx()))
	assert.Zero(t, f.config.Hub.Latest().PID)
}

func TestAWaitThatEndsEarlyLeavesTheCommandInForce(t *testing.T) {
	f := newFixture(t, `sleep 0.05; `+serves)
	ctx, cancel := context.WithCancelCause(f.ctx())
	outcome := make(chan error, 1)
	go func() { outcome <- f.RequestAndWaitStart(ctx) }()
	f.await(func(r report.Report) bool { return r.PID != 0 })
	cancel(errors.New("too long for me"))
	require.ErrorContains(t, <-outcome, "too long for me")
	f.await(healthy)
}
