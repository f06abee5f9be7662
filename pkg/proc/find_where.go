package proc

import (
	"errors"
	"fmt"
	"os"
	"strconv"
)

// FindWhere finds the living processes that match, apart from the caller. It asks match again once it holds a process,
// so that none is taken for another whose id it got. A match of a process that ended meanwhile must be false.
func FindWhere(match func(pid int) bool) ([]*Process, error) {
	folders, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []*Process
	for _, folder := range folders {
		pid, err := strconv.Atoi(folder.Name())
		if err != nil || pid == os.Getpid() || !match(pid) {
			continue
		}
		p, err := findPID(pid)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return found, err
		}
		if !match(pid) {
			p.Release()
			continue
		}
		found = append(found, p)
	}
	return found, nil
}

func findPID(pid int) (*Process, error) {
	record, err := recordOf(pid)
	if err != nil {
		return nil, err
	}
	return Find(record)
}
