package unit

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	systemd "github.com/coreos/go-systemd/v22/dbus"

	"github.com/coffer-dbaas/coffer/pkg/proc"
)

// The codes of siginfo_t for a child that has ended, which systemd passes on.
const (
	childExited = 1
	childKilled = 2
	childDumped = 3
)

// The exit codes with which systemd's own part of a process ends that never became the program; see systemd.exec(5).
const (
	firstOfSystemd = 200
	lastOfSystemd  = 245
	execFailed     = 203
)

// state is what systemd says of the unit.
type state struct {
	// active is systemd's ActiveState. A unit that is not there is inactive.
	active string
	// pid is the last main process's, running or not; 0 when there was none.
	pid int
	// code and status are how it ended; code is 0 while it runs.
	code, status int32
}

func (l Launcher) read(ctx context.Context, conn *systemd.Conn) (s state, err error) {
	common, err := conn.GetUnitPropertiesContext(ctx, l.Name)
	if err != nil {
		return s, err
	}
	s.active, _ = common["ActiveState"].(string)
	own, err := conn.GetUnitTypePropertiesContext(ctx, l.Name, "Service")
	if err != nil {
		return s, err
	}
	pid, isPID := own["ExecMainPID"].(uint32)
	code, isCode := own["ExecMainCode"].(int32)
	status, isStatus := own["ExecMainStatus"].(int32)
	if s.active == "" || !isPID || !isCode || !isStatus {
		return s, fmt.Errorf("systemd tells too little of %s", l.Name)
	}
	s.pid, s.code, s.status = int(pid), code, status
	return s, nil
}

func (s state) rests() bool { return s.active == "inactive" || s.active == "failed" }

// startFault is why there is no process of the program.
func (s state) startFault() error {
	switch {
	case s.code == childExited && s.status == execFailed:
		return errors.New("the program is missing or cannot be executed")
	case s.code == childExited && s.status >= firstOfSystemd && s.status <= lastOfSystemd:
		return fmt.Errorf("systemd could not prepare the process: it exited with %d", s.status)
	case s.pid == 0:
		return fmt.Errorf("systemd started no process; the unit is %s", s.active)
	}
	return nil
}

func (s state) exit() proc.Exit {
	switch s.code {
	case childExited:
		return proc.Exit{Known: true, Code: int(s.status)}
	case childKilled, childDumped:
		return proc.Exit{Known: true, Code: -1, Signal: syscall.Signal(s.status)}
	}
	return proc.Exit{}
}
