package unit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"

	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/process"
)

const (
	// callLimit bounds one conversation with systemd, a start included.
	callLimit = 30 * time.Second
	// settleLimit bounds how long what a process has started may take to end after it: systemd kills it.
	settleLimit = 30 * time.Second
	// settlePause is the pause between two questions whether it has.
	settlePause = 2 * time.Millisecond
)

// Launcher starts processes as one unit, one at a time.
type Launcher struct {
	// Name is the unit's, with .service.
	Name string
	// Agent is the agent's own unit, with .service: it ends first when the machine goes down, and so does not take the end
	// of its database for a crash. (Were it the agent's unit that said so, systemd would never let go of this one.)
	Agent string
	// Needs is a folder whose mount must be there, and is unmounted only after the process has ended. Absolute; empty: none.
	Needs string
}

var _ process.Launcher = Launcher{}

// Booted says whether systemd is this machine's init. It is how sd_booted(3) tells.
func Booted() bool {
	info, err := os.Lstat("/run/systemd/system")
	return err == nil && info.IsDir()
}

// Start starts the unit anew.
func (l Launcher) Start(ctx context.Context, command proc.Command, ending process.Ending) (*proc.Process, error) {
	if err := makeLog(command.Log); err != nil {
		return nil, err
	}
	var pid int
	err := l.talk(ctx, func(ctx context.Context, conn *systemd.Conn) (err error) {
		pid, err = l.start(ctx, conn, command, ending)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("start %s as %s: %w", command.Path, l.Name, err)
	}
	return proc.Adopt(pid, l.collect)
}

// start gives the id of the process, 0 for one that is gone.
func (l Launcher) start(ctx context.Context, conn *systemd.Conn, command proc.Command, ending process.Ending) (int, error) {
	if _, err := l.settle(ctx, conn); err != nil {
		return 0, err
	}
	result := make(chan string, 1)
	if err := l.begin(ctx, conn, l.properties(command, ending), result); err != nil {
		return 0, err
	}
	var ran bool
	select {
	case r := <-result:
		ran = r == "done"
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	state, err := l.read(ctx, conn)
	if err != nil {
		return 0, err
	}
	if ran && state.pid == 0 {
		return 0, nil // it has ended cleanly, and systemd has forgotten it
	}
	return state.pid, state.startFault()
}

// begin asks for the start once the name is free: when the last failure is forgotten, and systemd has let go of the unit
// that was, which it does when it finds the time.
func (l Launcher) begin(ctx context.Context, conn *systemd.Conn, properties []systemd.Property, result chan<- string) error {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for {
		if err := conn.ResetFailedUnitContext(ctx, l.Name); err != nil && !isOf(err, "NoSuchUnit") {
			return err
		}
		_, err := conn.StartTransientUnitContext(ctx, l.Name, "fail", properties, result)
		if err == nil || !isOf(err, "UnitExists") || !pause.For(ctx, settlePause) {
			return err
		}
	}
}

// collect waits until nothing is left of the unit and says how its process ended, if systemd still knows.
func (l Launcher) collect() (exit proc.Exit) {
	err := l.talk(context.Background(), func(ctx context.Context, conn *systemd.Conn) error {
		last, err := l.settle(ctx, conn)
		exit = last.exit()
		return err
	})
	if err != nil {
		return proc.Exit{}
	}
	return exit
}

// settle waits until the unit does not run, and gives its last state.
func (l Launcher) settle(ctx context.Context, conn *systemd.Conn) (state, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, settleLimit, fmt.Errorf("%s does not end", l.Name))
	defer cancel()
	for {
		now, err := l.read(ctx, conn)
		if err != nil || now.rests() {
			return now, err
		}
		if err := l.checkEnding(now); err != nil {
			return now, err
		}
		if !pause.For(ctx, settlePause) {
			return now, context.Cause(ctx)
		}
	}
}

// checkEnding refuses to wait for a process that nobody has asked to end.
func (l Launcher) checkEnding(now state) error {
	if now.active != "active" || now.pid == 0 {
		return nil
	}
	p, err := proc.Adopt(now.pid, func() proc.Exit { return proc.Exit{} })
	if err != nil {
		return err
	}
	defer p.Release()
	select {
	case <-p.Done():
		return nil // systemd is about to notice
	default:
		return fmt.Errorf("%s runs already, as process %d", l.Name, now.pid)
	}
}

// talk connects for one conversation: the agent keeps nothing open that could break unnoticed.
func (l Launcher) talk(ctx context.Context, say func(context.Context, *systemd.Conn) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, callLimit, errors.New("systemd does not answer"))
	defer cancel()
	conn, err := systemd.NewWithContext(ctx)
	if err != nil {
		return fmt.Errorf("connect to systemd: %w", err)
	}
	defer conn.Close()
	return say(ctx, conn)
}

// isOf says whether systemd refused something by one of its own errors.
func isOf(err error, name string) bool {
	var refused dbus.Error
	return errors.As(err, &refused) && refused.Name == "org.freedesktop.systemd1."+name
}

// makeLog makes the file as proc.Start does: systemd would make it readable to all.
func makeLog(path string) error {
	if path == "" {
		return nil
	}
	log, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW, 0o640) //nolint:gosec // operators' groups read logs
	if err != nil {
		return fmt.Errorf("open output file: %w", err)
	}
	return log.Close()
}
