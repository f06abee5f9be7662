package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// Command says what to start.
type Command struct {
	// Path is the program, absolute; Args are its arguments without the program's name.
	Path string
	Args []string
	// Env is the whole environment.
	Env []string
	// Dir is the working directory, absolute.
	Dir string
	// Log is the file that output and errors are appended to, made with mode 0640. Empty: they are dropped.
	Log string
	// UID and GID are the user to run as; 0 leaves the user as it is.
	UID, GID uint32
}

// Start starts a command in a session of its own. It lives on when the caller ends.
func Start(c Command) (*Process, error) {
	log, err := openLog(c.Log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own descriptor

	cmd := exec.Command(c.Path, c.Args...) //nolint:noctx // outliving the caller is the purpose
	cmd.Env, cmd.Dir = c.Env, c.Dir
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if c.UID != 0 || c.GID != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: c.UID, Gid: c.GID}
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Path, err)
	}
	p, err := watchChild(cmd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watch %s: %w", c.Path, err), cmd.Process.Kill(), reap(cmd))
	}
	return p, nil
}

func watchChild(cmd *exec.Cmd) (*Process, error) {
	// Nobody but us can reap the child, so its id is still its own, even if it has ended already.
	record, err := recordOf(cmd.Process.Pid)
	if errors.Is(err, ErrGone) {
		record, err = Record{PID: cmd.Process.Pid}, nil
	}
	if err != nil {
		return nil, err
	}
	return watch(record, func() Exit {
		if err := reap(cmd); err != nil {
			return Exit{}
		}
		return exitOf(cmd.ProcessState)
	})
}

// reap waits for a child whose end is certain; how it ended is in its ProcessState.
func reap(cmd *exec.Cmd) error {
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

func openLog(path string) (*os.File, error) {
	if path == "" {
		path = os.DevNull
	}
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW, 0o640) //nolint:gosec // operators' groups read logs
	if err != nil {
		return nil, fmt.Errorf("open output file: %w", err)
	}
	return log, nil
}
