package process

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
)

// Database is what the loop must know of an engine.
type Database interface {
	// Command starts the database; its Mark stands on the command line of this database's process and no other.
	Command() (proc.Command, error)
	Mark() string
	// StopSignal asks the process for a clean end.
	StopSignal() syscall.Signal
	// Signs is the folder in which something changes when a start comes nearer to its first answer.
	Signs() string
	// Answers asks a real query.
	Answers(ctx context.Context) error
	// Disconnect drops connections to a process that has ended.
	Disconnect()
	// LastError is what the database's log says of the failure of its last start, or empty; no secrets.
	LastError() string
}

// Config is what a loop needs. The durations have defaults.
type Config struct {
	// StatePath is the file of the wanted state and the process's record.
	StatePath string
	Hub       *report.Hub
	Log       *slog.Logger
	// Launcher starts the process. Nil: Children.
	Launcher Launcher
	// ProbeInterval is the pause between two questions to a database that serves. 5 s.
	ProbeInterval time.Duration
	// SilenceLimit is how long a process may give no answer before its database counts as crashed; it is not killed. 10 s.
	SilenceLimit time.Duration
	// StopLimit is how long a clean stop may take before the process is killed. 2 min.
	StopLimit time.Duration
	// AbortLimit is the same for a process that this agent started and that has not answered yet: it has nothing to bring
	// to an end, and MariaDB can miss a signal that comes just before it serves, and then waits for ever. 10 s.
	AbortLimit time.Duration
	// Backoff is the pause before the second new start in a row; it doubles up to BackoffLimit. 1 s, 30 s.
	Backoff, BackoffLimit time.Duration
}

func (c Config) withDefaults() Config {
	for duration, fallback := range map[*time.Duration]time.Duration{
		&c.ProbeInterval: 5 * time.Second, &c.SilenceLimit: 10 * time.Second, &c.StopLimit: 2 * time.Minute,
		&c.AbortLimit: 10 * time.Second, &c.Backoff: time.Second, &c.BackoffLimit: 30 * time.Second,
	} {
		if *duration == 0 {
			*duration = fallback
		}
	}
	if c.Launcher == nil {
		c.Launcher = Children{}
	}
	return c
}

// Loop owns the process of one database.
type Loop struct {
	Config

	database Database
	requests chan request
	adopted  chan struct{}
	ended    chan struct{}
	starts   atomic.Int64

	// What follows belongs to Run's goroutine.

	state   state
	process *proc.Process
	prober  *prober
	phase   phase
	halted  bool
	// fresh is a process of this agent's that has not answered yet.
	fresh bool
	// up and down are those who wait for the database to answer, or to have ended.
	up, down waiters
	// failures counts processes in a row that died early.
	failures int
	began    time.Time
	// due is when a pause before the next start ends, or the time for a clean stop.
	due *time.Timer
	// silent is when the process has not answered for too long.
	silent *time.Timer
}

// steady is how long a database must have run for its death to count as the first in a row.
const steady = time.Minute

type phase int

const (
	// resting: no process. If it is wanted running, it is started when due.
	resting phase = iota
	// starting: a process that has not answered.
	starting
	// serving: a process that has answered.
	serving
	// stopping: a process that was asked to end, and is killed when due.
	stopping
)

// New reads the state that the former agent left.
func New(config Config, database Database) (*Loop, error) {
	s, err := readState(config.StatePath)
	if err != nil {
		return nil, err
	}
	l := &Loop{
		Config: config.withDefaults(), database: database, state: s,
		requests: make(chan request), adopted: make(chan struct{}), ended: make(chan struct{}),
		due: time.NewTimer(0), silent: time.NewTimer(0),
	}
	l.due.Stop()
	l.silent.Stop()
	l.starts.Store(s.Starts)
	return l, nil
}

// Starts is how often the database process was started since the server was made.
func (l *Loop) Starts() int64 { return l.starts.Load() }

// Adopted is closed when it is known whether a former agent left a process, and a missing one that is wanted was
// started: until then an interrupted restart cannot tell whether it got that far.
func (l *Loop) Adopted() <-chan struct{} { return l.adopted }

// Run owns the database until the context ends; it leaves the database as it is then.
func (l *Loop) Run(ctx context.Context) error {
	defer close(l.ended)
	defer l.leave()
	if err := l.adopt(ctx); err != nil {
		return err
	}
	if l.process == nil && l.state.Wanted == Running {
		l.start(ctx)
	}
	close(l.adopted)
	for {
		select {
		case <-l.exited():
			l.onExit(ctx)
		case <-ctx.Done():
			return nil
		case r := <-l.requests:
			l.onRequest(ctx, r)
		case <-l.answers():
			l.onAnswer()
		case <-l.silent.C:
			l.onSilence()
		case <-l.due.C:
			l.onDue(ctx)
		}
	}
}

func (l *Loop) onRequest(ctx context.Context, r request) {
	if err := l.want(r.command); err != nil {
		r.done <- err
		return
	}
	switch r.command {
	case start:
		l.up = append(l.up, r.done)
		switch l.phase {
		case resting:
			l.start(ctx)
		case serving:
			l.up.answer(nil)
		case starting, stopping: // it is on its way
		}
	case restart:
		if l.phase == resting {
			l.up = append(l.up, r.done)
			l.start(ctx)
			return
		}
		l.stop()
		l.up = append(l.up, r.done)
	case stop, halt:
		l.down = append(l.down, r.done)
		l.stop()
	}
}

func (l *Loop) onExit(ctx context.Context) {
	exit, asked := l.process.Exit(), l.phase == stopping
	if time.Since(l.began) > steady {
		l.failures = 0
	}
	l.forgetProcess()
	if asked {
		l.say(shutdown, "")
		l.down.answer(nil)
		if l.wantsRunning() {
			l.start(ctx)
		}
		return
	}
	l.Log.Error("the database ended by itself", "exit", exit.String(), "wanted", l.state.Wanted)
	l.say(crashed, "The database "+exit.String()+".")
	l.up.answer(startFailure("its process "+exit.String(), l.database.LastError(), nil))
	l.retry(ctx)
}

func (l *Loop) onAnswer() {
	if l.phase == stopping {
		return
	}
	l.phase, l.fresh = serving, false
	l.silent.Reset(l.SilenceLimit)
	l.say(healthy, "")
	l.up.answer(nil)
}

// onSilence tells of a process that hangs: in its start, in its work, or since before this agent found it. It may wake
// up, and holds what a new process would need, so it is left alone; a restart is for those who see it to ask for.
func (l *Loop) onSilence() {
	l.Log.Error("the database does not answer", "pid", l.process.PID(), "limit", l.SilenceLimit, "error", l.prober.whyMissed())
	l.say(crashed, "The database runs and does not answer.")
}

func (l *Loop) onDue(ctx context.Context) {
	switch l.phase {
	case resting:
		if l.wantsRunning() {
			l.start(ctx)
		}
	case stopping:
		l.Log.Warn("the database did not stop in time and is killed", "limit", l.StopLimit)
		l.signal(syscall.SIGKILL)
	case starting, serving:
	}
}

// start starts the process. What fails is told to those who wait and tried again after a pause.
func (l *Loop) start(ctx context.Context) {
	l.due.Stop()
	command, err := l.database.Command()
	var process *proc.Process
	if err == nil {
		process, err = l.Launcher.Start(ctx, command, Ending{Signal: l.database.StopSignal(), Limit: l.StopLimit})
	}
	if err != nil {
		l.Log.Error("the database could not be started", "error", err)
		l.say(crashed, "The database could not be started.")
		l.up.answer(startFailure(err.Error(), "", err))
		l.retry(ctx)
		return
	}
	l.Log.Info("the database was started", "pid", process.PID())
	l.own(ctx, process)
	l.fresh = true
}

// own takes a process over, started or found, and counts it if it is new.
func (l *Loop) own(ctx context.Context, process *proc.Process) {
	l.process, l.phase, l.began = process, starting, time.Now()
	if process.Record() != l.state.Process {
		l.state.Process = process.Record()
		l.state.Starts++
		if err := l.save(); err != nil {
			// It runs and is ours; the next agent finds it by its command line and counts it then.
			l.Log.Error("the record of the database process could not be saved", "error", err)
		}
		l.starts.Store(l.state.Starts)
	}
	l.say(running, "")
	l.silent.Reset(l.SilenceLimit)
	l.prober = probe(ctx, l.database, l.ProbeInterval, l.Log)
}

// adopt finds the process that a former agent left: by its record, or by its command line if that agent died before
// it could save the record.
func (l *Loop) adopt(ctx context.Context) error {
	var process *proc.Process
	if l.state != unstarted {
		var err error
		if process, err = find(l.state.Process, l.database.Mark()); err != nil {
			return fmt.Errorf("look for the database process: %w", err)
		}
	}
	if process == nil {
		l.sayRest()
		return nil
	}
	l.Log.Info("the running database was found", "pid", process.PID())
	l.own(ctx, process)
	if !l.wantsRunning() {
		l.stop()
	}
	return nil
}

// stop asks the process to end; onExit goes on from there. Those who wait for it to come up are told no.
func (l *Loop) stop() {
	l.up.answer(errOvertaken)
	switch l.phase {
	case resting:
		l.due.Stop()
		l.sayRest()
		l.down.answer(nil)
	case starting, serving:
		l.phase = stopping
		l.silent.Stop()
		// A database waits for its clients to be gone before it ends (MariaDB in steps of 20 ms): ours is, by then.
		l.prober.stop()
		l.database.Disconnect()
		l.signal(l.database.StopSignal())
		limit := l.StopLimit
		if l.fresh {
			limit = min(limit, l.AbortLimit)
		}
		l.due.Reset(limit)
	case stopping: // the time for it runs
	}
}

// retry starts a wanted database again: at once the first time, then after growing pauses.
func (l *Loop) retry(ctx context.Context) {
	if !l.wantsRunning() {
		return
	}
	l.failures++
	if l.failures == 1 {
		l.start(ctx)
		return
	}
	l.due.Reset(min(l.Backoff<<min(l.failures-2, 16), l.BackoffLimit))
}

func (l *Loop) wantsRunning() bool { return l.state.Wanted == Running && !l.halted }

// want changes the wanted state on disk, so that it outlasts the agent.
func (l *Loop) want(c command) error {
	wanted := l.state.Wanted
	switch c {
	case start, restart:
		wanted = Running
	case stop:
		wanted = Stopped
	case halt:
		l.halted = true
	}
	if wanted == l.state.Wanted {
		return nil
	}
	before := l.state.Wanted
	l.state.Wanted = wanted
	if err := l.save(); err != nil {
		l.state.Wanted = before
		return fmt.Errorf("save the wanted state: %w", err)
	}
	return nil
}

func (l *Loop) save() error { return durable.WriteJSON(l.StatePath, l.state) }

func (l *Loop) signal(signal syscall.Signal) {
	if err := l.process.Signal(signal); err != nil {
		l.Log.Warn("the database could not be signalled", "signal", signal.String(), "error", err)
	}
}

func (l *Loop) exited() <-chan struct{} {
	if l.process == nil {
		return nil
	}
	return l.process.Done()
}

func (l *Loop) answers() <-chan struct{} {
	if l.prober == nil {
		return nil
	}
	return l.prober.answers
}

func (l *Loop) forgetProcess() {
	l.due.Stop()
	l.silent.Stop()
	l.prober.stop()
	l.database.Disconnect()
	l.process, l.prober, l.phase, l.fresh = nil, nil, resting, false
}

// leave ends the agent's part and lets the database run.
func (l *Loop) leave() {
	l.due.Stop()
	l.silent.Stop()
	if l.process != nil {
		l.prober.stop()
		l.process.Release()
	}
	l.database.Disconnect()
}
