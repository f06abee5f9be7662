package mariadb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

var _ engine.Engine = (*Engine)(nil)

// Engine is one MariaDB server's.
type Engine struct {
	server   settings.Server
	programs programs
	// run is the socket's folder, held open so that the socket has a short path wherever the folder lies.
	run *os.File
	log engine.Log

	mu         sync.Mutex
	connection *sql.DB
}

// Open finds the programs, of which a machine has one version, and opens the engine for a server's folder.
func Open(ctx context.Context, server settings.Server, _ string) (engine.Engine, error) {
	p, err := findPrograms(ctx, engine.ProgramsOf(server), server.TemplatesDir)
	if err != nil {
		return nil, err
	}
	run, err := os.Open(server.RunDir())
	if err != nil {
		return nil, fmt.Errorf("open the socket's folder: %w", err)
	}
	e := &Engine{server: server, programs: p, run: run}
	e.log.Path = filepath.Join(server.LogDir(), "mariadbd.log")
	return e, nil
}

// Version is the server program's.
func (e *Engine) Version() string { return e.programs.version }

// Capabilities are what this engine can do.
func (e *Engine) Capabilities() []string {
	can := []string{"databases", "users", "read_only"}
	if e.programs.copying() == nil {
		can = append(can, "replication")
	}
	return can
}

// dataDir is where the tables are; a folder of the volume, whose top may hold lost+found.
func (e *Engine) dataDir() string { return filepath.Join(e.server.DataDir, "mysql") }

func (e *Engine) tmpDir() string { return filepath.Join(e.server.DataDir, "tmp") }

func (e *Engine) configPath() string { return filepath.Join(e.server.ConfDir(), "mariadbd.cnf") }

// firstStartPath is a file of SQL that exists until the first start has settled.
func (e *Engine) firstStartPath() string { return filepath.Join(e.server.ConfDir(), "first-start.sql") }

func (e *Engine) passwordPath() string {
	return filepath.Join(e.server.AgentDir(), "os_admin.password")
}
