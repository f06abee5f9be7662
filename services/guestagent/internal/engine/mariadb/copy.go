package mariadb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// SendsCopies says that mariadb-backup's stream goes from agent to agent.
func (e *Engine) SendsCopies() bool { return true }

// HasData says whether there is a data directory.
func (e *Engine) HasData() (bool, error) { return durable.Exists(e.dataDir()) }

// RemoveData removes the data directory and the beginnings of one.
func (e *Engine) RemoveData(ctx context.Context) error {
	// What prepared a copy for an agent that was killed works on.
	left, err := proc.FindByArgument(e.targetArgument())
	if err != nil {
		return err
	}
	if err := proc.Kill(ctx, left...); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(e.incomingDir()), os.RemoveAll(e.dataDir()))
}

// incomingDir is where a copy is put together before it becomes the data directory.
func (e *Engine) incomingDir() string { return filepath.Join(e.server.DataDir, ".mysql-incoming") }

func (e *Engine) targetArgument() string { return "--target-dir=" + e.incomingDir() }

// SendCopy writes mariadb-backup's stream. The program ends with its pipe, whatever becomes of this agent.
func (e *Engine) SendCopy(ctx context.Context, to io.Writer) error {
	if err := e.programs.copying(); err != nil {
		return err
	}
	password, err := e.adminPassword()
	if err != nil {
		return fmt.Errorf("read the administrator's password: %w", err)
	}
	options, err := inMemory(fmt.Sprintf("[mariadb-backup]\nuser=%s\npassword=%s\n", admin, password))
	if err != nil {
		return err
	}
	defer options.Close()
	// The socket's own path may be longer than a socket's path can be, and the program changes its working directory.
	sockets, err := os.Open(e.server.RunDir())
	if err != nil {
		return fmt.Errorf("find the socket's folder: %w", err)
	}
	defer sockets.Close()
	cmd := e.copyCommand(ctx, e.programs.backup, "--defaults-file=/proc/self/fd/3", "--backup", "--stream=mbstream",
		"--socket=/proc/self/fd/4/"+socketName, "--datadir="+e.dataDir(), "--tmpdir="+e.tmpDir(),
		// The last part of the redo log is waited for with commits blocked, so it is looked for often.
		"--log-copy-interval=10")
	cmd.ExtraFiles, cmd.Stdout = []*os.File{options, sockets}, to
	return e.runLogged(cmd)
}

// CopyFrom unpacks and prepares a stream beside the place of the data directory, and puts it there when it is whole.
func (e *Engine) CopyFrom(ctx context.Context, _ engine.Source, open func(context.Context) (io.ReadCloser, error)) error {
	if err := e.programs.copying(); err != nil {
		return err
	}
	for _, folder := range []string{e.incomingDir(), e.tmpDir()} {
		if err := errors.Join(os.MkdirAll(folder, 0o700), e.server.Give(folder)); err != nil {
			return fmt.Errorf("make the folder of the copy: %w", err)
		}
	}
	stream, err := open(ctx)
	if err != nil {
		return err
	}
	err = e.unpack(ctx, stream)
	if err = errors.Join(err, stream.Close()); err != nil {
		return err
	}
	if err := e.runLogged(e.copyCommand(ctx, e.programs.backup, "--no-defaults", "--prepare", e.targetArgument())); err != nil {
		return err
	}
	if err := e.reinstallAdmin(); err != nil {
		return err
	}
	if err := syncFileSystem(e.incomingDir()); err != nil {
		return fmt.Errorf("put the copy on the disk: %w", err)
	}
	if err := os.Rename(e.incomingDir(), e.dataDir()); err != nil {
		return err
	}
	return durable.SyncFolder(e.server.DataDir)
}

// unpackChunk is how much the program gets at a time: a pipe holds no more.
const unpackChunk = 64 << 10

func (e *Engine) unpack(ctx context.Context, stream io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := e.copyCommand(ctx, e.programs.unpack, "-x", "-C", e.incomingDir())
	input, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- e.runLogged(cmd) }()
	out := bufio.NewWriterSize(input, unpackChunk)
	if _, err = io.Copy(out, stream); err == nil {
		err = out.Flush()
	}
	if err == nil {
		return errors.Join(input.Close(), <-done)
	}
	cancel()
	if ended := <-done; errors.Is(err, unix.EPIPE) {
		return ended
	}
	return err
}

// copyCommand is a program of mariadb-backup's package, as the database's user.
func (e *Engine) copyCommand(ctx context.Context, program string, args ...string) *exec.Cmd {
	return e.programs.Exec(ctx, proc.Command{
		Path: program, Args: args, Dir: e.server.Folder, UID: e.server.RunAsUID, GID: e.server.RunAsGID,
	})
}

// runLogged runs a program to its end; what it says goes to a log of its own, which each one begins anew.
func (e *Engine) runLogged(cmd *exec.Cmd) error {
	log, err := os.OpenFile(e.copyLogPath(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Run(); err != nil {
		return errs.New(errs.Unavailable, "COPY_CUT", "The copy was cut: %s ended early; copy.log on the server says more.",
			filepath.Base(cmd.Args[0])).Because(err)
	}
	return nil
}

func (e *Engine) copyLogPath() string { return filepath.Join(e.server.LogDir(), "copy.log") }

// inMemory is a file that no disk ever sees, for a program that wants one with a secret in it.
func inMemory(text string) (*os.File, error) {
	fd, err := unix.MemfdCreate("options", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	file := os.NewFile(uintptr(fd), "options")
	_, err = file.WriteString(text)
	// Options that everybody may write are ignored, and the database's user must read them.
	if err = errors.Join(err, file.Chmod(0o444)); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func syncFileSystem(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(folder.Fd())), folder.Close())
}
