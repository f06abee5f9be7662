package proc

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Find finds the process of a record. ErrGone: it has ended, was before this boot, or is a zombie.
func Find(r Record) (*Process, error) { return find(r, func() Exit { return Exit{} }) }

func find(r Record, collect func() Exit) (*Process, error) {
	if r.PID <= 0 {
		return nil, ErrGone
	}
	p, err := watch(r, collect)
	if err != nil {
		return nil, err
	}
	// Read after the pidfd is open: if they are equal now, the pidfd is of that process.
	now, err := recordOf(r.PID)
	if err == nil && now != r {
		err = ErrGone
	}
	if err != nil {
		p.Release()
		return nil, err
	}
	return p, nil
}

// FindByArgument finds the living processes that have exactly this argument on their command line: those whose
// parent died before it could save a record. The argument must be one that nobody else uses, such as a folder's
// absolute path with an instance id in it. A fork of such a process, which has its command line until it runs another
// program, is left out.
func FindByArgument(argument string) ([]*Process, error) {
	return FindWhere(func(pid int) bool { return hasArgument(pid, argument) && !hasArgument(parentOf(pid), argument) })
}

// parentOf is 0 for a process that ended meanwhile.
func parentOf(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	var state string
	var parent int
	if _, err := fmt.Sscan(afterName(string(stat)), &state, &parent); err != nil {
		return 0
	}
	return parent
}

// hasArgument is false also for a process that ended meanwhile.
func hasArgument(pid int, argument string) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && slices.Contains(strings.Split(string(line), "\x00"), argument)
}
