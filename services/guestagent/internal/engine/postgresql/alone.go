package postgresql

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

const (
	// aloneLook is the pause between two questions to a server that starts.
	aloneLook = 5 * time.Millisecond
	// aloneEnd is how long it may take to end before it is killed.
	aloneEnd = time.Minute
)

// alone runs the server for the agent alone, for as long as do takes: nobody comes in by the network, and what holds
// tenants to reading does not hold. It has not the mark of the database's process, so an agent does not take one that a
// killed agent left for the database; the next start ends it.
func (e *Engine) alone(ctx context.Context, do func(context.Context) error) error {
	if err := e.clear(ctx); err != nil {
		return err
	}
	log, err := os.OpenFile(e.log.Path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd, err := e.aloneCommand(ctx)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	e.log.Begin()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the server for the agent alone: %w", err)
	}
	ended := make(chan struct{})
	var exit error
	go func() {
		defer close(ended)
		exit = cmd.Wait()
	}()
	err = e.awaitAlone(ctx, ended)
	if err == nil {
		err = do(ctx)
	}
	if stopped := cmd.Process.Signal(e.StopSignal()); stopped != nil && !errors.Is(stopped, os.ErrProcessDone) {
		err = errors.Join(err, stopped)
	}
	<-ended
	if err == nil && exit != nil {
		err = fmt.Errorf("stop the server for the agent alone: %w", exit)
	}
	return err
}

func (e *Engine) aloneCommand(ctx context.Context) (*exec.Cmd, error) {
	sockets, err := engine.SocketFolder(e.dataDir(), e.server.RunDir(), socketName)
	if err != nil {
		return nil, err
	}
	cmd := e.programs.Exec(ctx, proc.Command{
		Path: e.programs.program("postgres"), Dir: e.server.Folder, UID: e.server.RunAsUID, GID: e.server.RunAsGID,
		Args: []string{
			"-c", "config_file=" + e.confPath(configName), "-c", "unix_socket_directories=" + sockets,
			"-c", "listen_addresses=", "-c", "default_transaction_read_only=off",
		},
	})
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = aloneEnd
	return cmd, nil
}

// awaitAlone waits for the first answer, or for the end of a server that does not come up.
func (e *Engine) awaitAlone(ctx context.Context, ended <-chan struct{}) error {
	for e.Answers(ctx) != nil {
		select {
		case <-ended:
			return errs.New(errs.Internal, "DATABASE_NOT_STARTED", "The database did not start: %s", e.LastError())
		default:
		}
		if !pause.For(ctx, aloneLook) {
			return context.Cause(ctx)
		}
	}
	return nil
}

// tool is a client program of this version that works on a database as the administrator. Its options come from the
// environment, where a name is a name, whatever it looks like.
func (e *Engine) tool(ctx context.Context, name, database string, args ...string) *exec.Cmd {
	return e.programs.Exec(ctx, proc.Command{
		Path: e.programs.program(name), Args: args, Dir: e.server.Folder,
		Env: append(engine.Environment(),
			// The server's folder may be too deep for a socket's path.
			"PGHOST=/proc/self/cwd/run", fmt.Sprintf("PGPORT=%d", port), "PGUSER="+admin, "PGDATABASE="+database),
	})
}
