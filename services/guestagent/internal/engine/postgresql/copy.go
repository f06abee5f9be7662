package postgresql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// HasData says whether there is a data directory.
func (e *Engine) HasData() (bool, error) { return durable.Exists(e.dataDir()) }

// RemoveData removes the data directory, once nobody works in it any more.
func (e *Engine) RemoveData(ctx context.Context) error {
	if err := e.endCopying(ctx); err != nil {
		return fmt.Errorf("end a copy that was cut: %w", err)
	}
	switch has, err := e.HasData(); {
	case err != nil:
		return err
	case !has:
		return nil
	}
	if err := e.endOrphans(ctx); err != nil {
		return fmt.Errorf("end what the former postmaster left: %w", err)
	}
	if err := os.RemoveAll(e.dataDir()); err != nil {
		return fmt.Errorf("remove the data directory: %w", err)
	}
	return durable.SyncFolder(filepath.Dir(e.dataDir()))
}

// copyMark stands on the command line of the processes that copy into this data directory.
func (e *Engine) copyMark() string { return "--pgdata=" + e.dataDir() }

// endCopying ends what an agent left that was killed. A copy is two processes, of which the second is only found when the
// first is gone.
func (e *Engine) endCopying(ctx context.Context) error {
	for {
		found, err := proc.FindByArgument(e.copyMark())
		if err == nil {
			err = proc.Kill(ctx, found...)
		}
		for _, p := range found {
			p.Release()
		}
		if err != nil || len(found) == 0 {
			return err
		}
	}
}

// SendsCopies says that copies go over the database's own port.
func (e *Engine) SendsCopies() bool { return false }

// SendCopy is not of this engine.
func (e *Engine) SendCopy(context.Context, io.Writer) error {
	return errs.New(errs.Unsupported, "NO_COPY", "PostgreSQL copies over the database's own port.")
}

// copyEnd is how long a copy may take to end when it was told to.
const copyEnd = 5 * time.Second

// CopyFrom makes the data directory by pg_basebackup from a live source. The slot keeps all of the log from before the
// copy begins until the replica follows.
func (e *Engine) CopyFrom(ctx context.Context, source engine.Source, _ func(context.Context) (io.ReadCloser, error)) error {
	if err := e.pointTo(source); err != nil {
		return err
	}
	if err := errors.Join(os.Mkdir(e.dataDir(), 0o700), e.server.Give(e.dataDir())); err != nil {
		return err
	}
	cmd := e.programs.Exec(ctx, proc.Command{
		Path: e.programs.program("pg_basebackup"), Dir: e.server.Folder, UID: e.server.RunAsUID, GID: e.server.RunAsGID,
		Args: []string{
			e.copyMark(), "--dbname=" + e.way(source), "--no-password", "--checkpoint=fast", "--wal-method=stream",
			"--slot=" + engine.ReplicaAccount(e.server.InstanceID),
		},
	})
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	// Its two processes end together.
	cmd.SysProcAttr.Setpgid = true
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = copyEnd
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return copyFailure(out, err)
	}
	return e.startAsReplica()
}

// copyFailure tells a copy that may be tried again, because it was cut, from one that lacks room.
func copyFailure(out []byte, cause error) error {
	cause = fmt.Errorf("pg_basebackup: %w: %s", cause, lastLines(out))
	if bytes.Contains(out, []byte("No space left on device")) {
		return errs.New(errs.Internal, "VOLUME_FULL", "The volume has no room for a copy of the source.").Because(cause)
	}
	return errs.New(errs.Unavailable, "COPY_CUT", "The copy of the source broke off: %s", firstComplaint(string(out), "error: ")).Because(cause)
}

// firstComplaint is what a client program says first behind one of the words; what follows are its consequences.
func firstComplaint(said string, words ...string) string {
	for line := range strings.Lines(said) {
		for _, word := range words {
			if _, complaint, found := strings.Cut(line, word); found {
				return strings.TrimSpace(complaint)
			}
		}
	}
	return "it gives no reason."
}
