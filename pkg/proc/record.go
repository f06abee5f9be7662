package proc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// ErrGone says that the process of a record has ended.
var ErrGone = errors.New("the process has ended")

// Record names one process on one boot of the machine, for good.
type Record struct {
	PID int `json:"pid"`
	// StartTicks is the start time of /proc/<pid>/stat, in clock ticks since boot.
	StartTicks uint64 `json:"start_ticks"`
	// BootID is /proc/sys/kernel/random/boot_id.
	BootID string `json:"boot_id"`
}

// Self is the record of the calling process.
func Self() (Record, error) { return recordOf(os.Getpid()) }

// Save writes the record to a file, so that a crash leaves the old one or the new one.
func (r Record) Save(path string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return fmt.Errorf("save process record: %w", err)
	}
	defer os.Remove(file.Name()) // gone after the rename
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("save process record: %w", err)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("save process record: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// Load reads what Save wrote. The error is fs.ErrNotExist when there is none.
func Load(path string) (Record, error) {
	var r Record
	data, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("load process record: %w", err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("load process record %s: %w", path, err)
	}
	return r, nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

var bootID = sync.OnceValues(func() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return string(bytes.TrimSpace(id)), err
})

// recordOf reads the record of a living process; zombies are dead.
func recordOf(pid int) (Record, error) {
	boot, err := bootID()
	if err != nil {
		return Record{}, fmt.Errorf("read boot id: %w", err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) || isNoSuchProcess(err) {
		return Record{}, ErrGone
	}
	if err != nil {
		return Record{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	state, ticks, err := parseStat(string(stat))
	if err != nil {
		return Record{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	if state == "Z" || state == "X" {
		return Record{}, ErrGone
	}
	return Record{PID: pid, StartTicks: ticks, BootID: boot}, nil
}

// parseStat finds fields 3 (state) and 22 (starttime) of proc(5); field 2 is the command's name in brackets and may
// itself hold spaces and brackets.
func parseStat(stat string) (state string, ticks uint64, err error) {
	const first = 3 // the number of the first field behind the name
	fields := strings.Fields(afterName(stat))
	if len(fields) <= 22-first {
		return "", 0, fmt.Errorf("unexpected stat line %q", stat)
	}
	ticks, err = strconv.ParseUint(fields[22-first], 10, 64)
	return fields[0], ticks, err
}

// afterName is what follows the command's name.
func afterName(stat string) string { return stat[strings.LastIndexByte(stat, ')')+1:] }
