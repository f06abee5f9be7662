package postgresql

import (
	"context"
	"strings"
	"syscall"

	"github.com/coffer-dbaas/coffer/pkg/proc"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// socketName is PostgreSQL's own, which follows from the port.
const socketName = ".s.PGSQL.5432"

// Command starts postgres.
func (e *Engine) Command() (proc.Command, error) {
	sockets, err := engine.SocketFolder(e.dataDir(), e.server.RunDir(), socketName)
	if err != nil {
		return proc.Command{}, err
	}
	if err := e.clear(context.Background()); err != nil {
		return proc.Command{}, err
	}
	e.log.Begin()
	return e.programs.Command(proc.Command{
		Path: e.programs.program("postgres"), Args: []string{e.Mark(), "--unix_socket_directories=" + sockets},
		Dir: e.server.Folder, Log: e.log.Path, Env: engine.Environment(),
		UID: e.server.RunAsUID, GID: e.server.RunAsGID,
	}), nil
}

// Mark is the configuration's option, whose path holds the instance id.
func (e *Engine) Mark() string { return "--config_file=" + e.confPath(configName) }

// StopSignal asks for a fast shutdown: sessions end, what they committed stays.
func (e *Engine) StopSignal() syscall.Signal { return syscall.SIGINT }

// LastError is the first two complaints that postgres logged since Command, or empty: the first often says what the
// second means.
func (e *Engine) LastError() string { return e.log.Complaints(complaint) }

// complaint takes what a line of the log says, if it says that something is wrong. Why postgres does not start it often
// says as a mere LOG. What those are told who come too early is of no interest.
func complaint(line string) (string, bool) {
	for _, severity := range []string{"FATAL:  ", "PANIC:  ", "ERROR:  ", "LOG:  could not ", "LOG:  invalid ", "LOG:  unrecognized ", "[ERROR] "} {
		_, message, is := strings.Cut(line, severity)
		if !is || strings.HasPrefix(message, "the database system is ") {
			continue
		}
		_, context, _ := strings.Cut(severity, ":  ")
		return strings.TrimSpace(context + message), true
	}
	return "", false
}
