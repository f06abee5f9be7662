package mariadb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/coffer-dbaas/coffer/pkg/proc"
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
	return proc.Command{
		Path: e.programs.server, Args: args, Dir: e.server.Folder, Log: e.logPath(),
		Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"},
		UID: e.server.RunAsUID, GID: e.server.RunAsGID,
	}, nil
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

// LastError is the last error that mariadbd logged since its last start, or empty.
func (e *Engine) LastError() string {
	tail, err := tailOf(e.logPath(), 16<<10)
	if err != nil {
		return ""
	}
	if start := bytes.LastIndex(tail, []byte("starting as process")); start >= 0 {
		tail = tail[start:]
	}
	mark := []byte("[ERROR] ")
	at := bytes.LastIndex(tail, mark)
	if at < 0 {
		return ""
	}
	line, _, _ := bytes.Cut(tail[at+len(mark):], []byte("\n"))
	// "Aborting" follows the error that it is about.
	if before := bytes.LastIndex(tail[:at], mark); before >= 0 && bytes.HasPrefix(line, []byte("Aborting")) {
		line, _, _ = bytes.Cut(tail[before+len(mark):], []byte("\n"))
	}
	return string(line)
}

func tailOf(path string, length int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(max(0, info.Size()-length), io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(file, length))
}
