package proc

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Find finds the process of a record. ErrGone: it has ended, was before this boot, or is a zombie.
func Find(r Record) (*Process, error) {
	if r.PID <= 0 {
		return nil, ErrGone
	}
	p, err := watch(r, func() Exit { return Exit{} })
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
// absolute path with an instance id in it.
func FindByArgument(argument string) ([]*Process, error) {
	folders, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []*Process
	for _, folder := range folders {
		pid, err := strconv.Atoi(folder.Name())
		if err != nil || pid == os.Getpid() || !hasArgument(pid, argument) {
			continue
		}
		record, err := recordOf(pid)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return found, err
		}
		p, err := Find(record)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return found, err
		}
		found = append(found, p)
	}
	return found, nil
}

// hasArgument is false also for a process that ended meanwhile.
func hasArgument(pid int, argument string) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && slices.Contains(strings.Split(string(line), "\x00"), argument)
}
