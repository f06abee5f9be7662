package mariadb

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

const (
	socketName = "mariadbd.sock"
	// longestSocket is what sun_path holds, less its final zero.
	longestSocket = 107
)

// Command starts mariadbd.
func (e *Engine) Command() (proc.Command, error) {
	socket, err := e.socketFromData()
	if err != nil {
		return proc.Command{}, err
	}
	args := []string{e.Mark(), "--socket=" + socket}
	switch _, err := os.Stat(e.firstStartPath()); {
	case err == nil:
		args = append(args, "--init-file="+e.firstStartPath())
	case !errors.Is(err, fs.ErrNotExist):
		return proc.Command{}, err
	}
	if log, err := os.Stat(e.logPath()); err == nil {
		e.logged.Store(log.Size())
	}
	return e.programs.Command(proc.Command{
		Path: e.programs.server, Args: args, Dir: e.server.Folder, Log: e.logPath(), Env: engine.Environment(),
		UID: e.server.RunAsUID, GID: e.server.RunAsGID,
	}), nil
}

// Mark is the configuration's option, whose path holds the instance id. mariadbd wants it first.
func (e *Engine) Mark() string { return "--defaults-file=" + e.configPath() }

// StopSignal asks for a clean shutdown.
func (e *Engine) StopSignal() syscall.Signal { return syscall.SIGTERM }

// socketFromData is the socket's path from the data directory, which is mariadbd's working directory: an absolute one
// may be too long.
func (e *Engine) socketFromData() (string, error) {
	dataDir, err := filepath.EvalSymlinks(e.dataDir())
	if err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	run, err := filepath.EvalSymlinks(e.server.RunDir())
	if err != nil {
		return "", fmt.Errorf("find the socket's folder: %w", err)
	}
	folder, err := filepath.Rel(dataDir, run)
	if err != nil {
		return "", fmt.Errorf("find the way to the socket: %w", err)
	}
	socket := filepath.Join(folder, socketName)
	if len(socket) > longestSocket {
		return "", fmt.Errorf("the way from the data directory to the socket is longer than %d bytes: %s", longestSocket, socket)
	}
	return socket, nil
}

// socketFromHere is the socket's path for this process.
func (e *Engine) socketFromHere() string {
	return fmt.Sprintf("/proc/self/fd/%d/%s", e.run.Fd(), socketName)
}

// firstWords is how much of the log of a start is looked at.
const firstWords = 64 << 10

// LastError is the first two errors that mariadbd logged since Command, or empty: the second often says what the first
// means, and those that follow are their consequences.
func (e *Engine) LastError() string {
	log, err := os.Open(e.logPath())
	if err != nil {
		return ""
	}
	defer log.Close()
	text, err := io.ReadAll(io.NewSectionReader(log, e.logged.Load(), firstWords))
	if err != nil {
		return ""
	}
	var said []string
	for line := range strings.Lines(string(text)) {
		if _, message, isError := strings.Cut(line, "[ERROR] "); isError && len(said) < 2 {
			said = append(said, strings.TrimSpace(message))
		}
	}
	return strings.Join(said, "; ")
}
