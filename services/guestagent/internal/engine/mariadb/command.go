package mariadb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

const socketName = "mariadbd.sock"

// Command starts mariadbd.
func (e *Engine) Command() (proc.Command, error) {
	folder, err := engine.SocketFolder(e.dataDir(), e.server.RunDir(), socketName)
	if err != nil {
		return proc.Command{}, err
	}
	args := []string{e.Mark(), "--socket=" + filepath.Join(folder, socketName)}
	switch _, err := os.Stat(e.firstStartPath()); {
	case err == nil:
		args = append(args, "--init-file="+e.firstStartPath())
	case !errors.Is(err, fs.ErrNotExist):
		return proc.Command{}, err
	}
	if err := e.dropRelayLogs(); err != nil {
		return proc.Command{}, err
	}
	e.log.Begin()
	return e.programs.Command(proc.Command{
		Path: e.programs.server, Args: args, Dir: e.server.Folder, Log: e.log.Path, Env: engine.Environment(),
		UID: e.server.RunAsUID, GID: e.server.RunAsGID,
	}), nil
}

// Mark is the configuration's option, whose path holds the instance id. mariadbd wants it first.
func (e *Engine) Mark() string { return "--defaults-file=" + e.configPath() }

// StopSignal asks for a clean shutdown.
func (e *Engine) StopSignal() syscall.Signal { return syscall.SIGTERM }

// socketFromHere is the socket's path for this process.
func (e *Engine) socketFromHere() string {
	return fmt.Sprintf("/proc/self/fd/%d/%s", e.run.Fd(), socketName)
}

// LastError is the first two errors that mariadbd logged since Command, or empty: the second often says what the first
// means, and those that follow are their consequences.
func (e *Engine) LastError() string {
	return e.log.Complaints(func(line string) (string, bool) {
		_, message, isError := strings.Cut(line, "[ERROR] ")
		return strings.TrimSpace(message), isError
	})
}
