package proc

import (
	"errors"
	"fmt"
)

// Adopt takes a process that somebody else starts and reaps, such as systemd. Once it has ended, collect, which may
// wait for who reaps it, says how. A process that has ended already is one whose Done is closed.
func Adopt(pid int, collect func() Exit) (*Process, error) {
	record, err := recordOf(pid)
	var p *Process
	if err == nil {
		p, err = find(record, collect)
	}
	if errors.Is(err, ErrGone) {
		return ended(pid, collect()), nil
	}
	if err != nil {
		return nil, fmt.Errorf("adopt process %d: %w", pid, err)
	}
	return p, nil
}

// ended is a process of which nothing is left but how it ended.
func ended(pid int, exit Exit) *Process {
	p := &Process{record: Record{PID: pid}, done: make(chan struct{}), exit: exit, watching: make(chan struct{})}
	close(p.done)
	close(p.watching)
	return p
}
