package postgresql

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// pidFile is there from a start to a clean end.
const pidFile = "postmaster.pid"

// orphansLimit is more than killed processes take to be gone.
const orphansLimit = 10 * time.Second

// clear takes away what a postmaster left that was killed: the sessions that still worked, which keep a new one from
// starting until their query ends, and the files that name its process, whose id may be another's by now. It is called
// only where no postmaster lives.
func (e *Engine) clear(ctx context.Context) error {
	path := filepath.Join(e.dataDir(), pidFile)
	if there, err := durable.Exists(path); err != nil || !there {
		return err
	}
	if err := e.endOrphans(ctx); err != nil {
		return fmt.Errorf("end what the former postmaster left: %w", err)
	}
	for _, path := range []string{filepath.Join(e.server.RunDir(), socketName+".lock"), path} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("clear the data directory: %w", err)
		}
	}
	return nil
}

// endOrphans finds processes of this data directory by where they work and what program they are: they no longer have
// the postmaster's command line.
func (e *Engine) endOrphans(ctx context.Context) error {
	data, err := os.Stat(e.dataDir())
	if err != nil {
		return err
	}
	found, err := proc.FindWhere(func(pid int) bool { return runsPostgres(pid) && worksIn(pid, data) })
	defer func() {
		for _, p := range found {
			p.Release()
		}
	}()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, orphansLimit)
	defer cancel()
	return proc.Kill(ctx, found...)
}

// Both are false of a process that is gone, or not ours to look at.

func runsPostgres(pid int) bool {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return err == nil && strings.TrimSpace(string(name)) == "postgres"
}

func worksIn(pid int, folder os.FileInfo) bool {
	info, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && os.SameFile(info, folder)
}
