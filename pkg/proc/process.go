package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Process is one process, child or not, until its end or its Release.
type Process struct {
	record Record
	pidfd  *os.File
	done   chan struct{}
	exit   Exit
	// watching ends with the goroutine that waits.
	watching chan struct{}
}

// Exit says how a process ended.
type Exit struct {
	// Known is false for a process that was not our child: nobody but its parent learns more than that it ended.
	Known bool
	// Code is the exit code, or -1 after a signal.
	Code   int
	Signal syscall.Signal
}

// String is the exit in words, for logs and faults.
func (e Exit) String() string {
	switch {
	case !e.Known:
		return "ended"
	case e.Signal != 0:
		return "killed by " + unix.SignalName(e.Signal)
	default:
		return fmt.Sprintf("exited with %d", e.Code)
	}
}

// PID is the process id.
func (p *Process) PID() int { return p.record.PID }

// Record finds the process again.
func (p *Process) Record() Record { return p.record }

// Done is closed when the process has ended, and not by Release.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit says how the process ended; it is for after Done.
func (p *Process) Exit() Exit {
	<-p.done
	return p.exit
}

// Wait waits for the end of the process. The error is the context's.
func (p *Process) Wait(ctx context.Context) (Exit, error) {
	select {
	case <-p.done:
		return p.exit, nil
	case <-ctx.Done():
		return Exit{}, context.Cause(ctx)
	}
}

// Signal sends a signal to this process and never to a later one with its id. ErrGone: it has ended, or was released.
func (p *Process) Signal(signal syscall.Signal) error {
	raw, err := p.pidfd.SyscallConn()
	if err != nil {
		return ErrGone
	}
	var sent error
	err = raw.Control(func(fd uintptr) { sent = unix.PidfdSendSignal(int(fd), signal, nil, 0) })
	if err != nil || isNoSuchProcess(sent) { // Control fails on a closed descriptor alone
		return ErrGone
	}
	return sent
}

// Release ends the watch and leaves the process running.
func (p *Process) Release() {
	_ = p.pidfd.Close() // twice is fine
	<-p.watching
}

// Kill kills all the processes and waits until they have ended. The error is the context's, or a refused signal.
func Kill(ctx context.Context, processes ...*Process) error {
	for _, p := range processes {
		if err := p.Signal(unix.SIGKILL); err != nil && !errors.Is(err, ErrGone) {
			return fmt.Errorf("kill process %d: %w", p.PID(), err)
		}
	}
	for _, p := range processes {
		if _, err := p.Wait(ctx); err != nil {
			return fmt.Errorf("wait for the end of process %d: %w", p.PID(), err)
		}
	}
	return nil
}

// watch waits for the end of the process in the netpoller; collect then says how it ended.
func watch(record Record, collect func() Exit) (*Process, error) {
	fd, err := unix.PidfdOpen(record.PID, unix.PIDFD_NONBLOCK)
	if isNoSuchProcess(err) {
		return nil, ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("open pidfd of %d: %w", record.PID, err)
	}
	p := &Process{
		record: record, pidfd: os.NewFile(uintptr(fd), "pidfd"),
		done: make(chan struct{}), watching: make(chan struct{}),
	}
	raw, err := p.pidfd.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, p.pidfd.Close())
	}
	go func() {
		defer close(p.watching)
		// It fails only when Release closes the descriptor.
		if err := raw.Read(hasEnded); err != nil {
			return
		}
		p.exit = collect()
		_ = p.pidfd.Close() // Signal answers ErrGone from here on
		close(p.done)
	}()
	return p, nil
}

// hasEnded says whether a pidfd is readable, which it is from the end of the process on.
func hasEnded(fd uintptr) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // a descriptor is small
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

func exitOf(state *os.ProcessState) Exit {
	exit := Exit{Known: true, Code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = status.Signal()
	}
	return exit
}

func isNoSuchProcess(err error) bool { return errors.Is(err, unix.ESRCH) }
