package e2e_test

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// process is a program that a test has started.
type process struct {
	t       testing.TB
	name    string
	command *exec.Cmd
	// exited is closed when the process is gone.
	exited chan struct{}
	output *transcript
}

// launch starts a program. If it still runs at the end of the test it is ended: first in order, then by force.
func launch(t testing.TB, name string, command *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, name: name, command: command, exited: make(chan struct{}), output: newTranscript()}
	command.Stdout, command.Stderr = p.output, p.output
	command.WaitDelay = time.Second
	require.NoError(t, command.Start())
	go func() {
		defer close(p.exited)
		// How it ended is each test's own question: command.ProcessState answers it.
		_ = command.Wait()
	}()
	t.Cleanup(func() {
		p.end()
		if t.Failed() {
			t.Logf("output of %s:\n%s", name, p.output.tail(60))
		}
	})
	return p
}

// awaitLine waits until the process has written the text.
func (p *process) awaitLine(text string) {
	p.t.Helper()
	select {
	case <-p.output.appeared(text):
	case <-p.exited:
		require.FailNow(p.t, p.name+" ended before it was ready", p.output.tail(60))
	case <-time.After(patience):
		require.FailNow(p.t, p.name+" is not ready", p.output.tail(60))
	}
}

// signal sends a signal and waits for the end.
func (p *process) signal(signal syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.command.Process.Signal(signal))
	p.awaitExit()
}

func (p *process) awaitExit() {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		require.FailNow(p.t, p.name+" does not end", p.output.tail(60))
	}
}

// kill is kill -9. What the process started goes on.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
}

// end leaves the process no longer running.
func (p *process) end() {
	if !p.running() {
		return
	}
	_ = p.command.Process.Signal(syscall.SIGINT)
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		_ = p.command.Process.Kill()
		<-p.exited
	}
}

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// killedAtCrashPoint requires that the process has ended by its own SIGKILL.
func (p *process) killedAtCrashPoint() {
	p.t.Helper()
	p.awaitExit()
	status, ok := p.command.ProcessState.Sys().(syscall.WaitStatus)
	require.True(p.t, ok)
	require.True(p.t, status.Signaled() && status.Signal() == syscall.SIGKILL,
		"%s ended, but not at the crash point: %v", p.name, status)
}
