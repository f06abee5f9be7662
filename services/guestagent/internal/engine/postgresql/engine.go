package postgresql

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/settings"
)

var _ engine.Replicator = (*Engine)(nil)

// Engine is one PostgreSQL server's.
type Engine struct {
	server   settings.Server
	programs programs
	// run is the socket's folder, held open so that the socket has a short path wherever the folder lies.
	run *os.File
	log engine.Log
	// keeping is held while the admissions on disk change.
	keeping sync.Mutex
}

// Open finds the programs and opens the engine for a server's folder.
func Open(ctx context.Context, server settings.Server, version string) (engine.Engine, error) {
	p, err := findPrograms(ctx, engine.ProgramsOf(server), version, server.TemplatesDir)
	if err != nil {
		return nil, err
	}
	run, err := os.Open(server.RunDir())
	if err != nil {
		return nil, fmt.Errorf("open the socket's folder: %w", err)
	}
	e := &Engine{server: server, programs: p, run: run}
	e.log.Path = filepath.Join(server.LogDir(), "postgresql.log")
	return e, nil
}

// Version is the server program's.
func (e *Engine) Version() string { return e.programs.version }

// Capabilities are what this engine can do.
func (e *Engine) Capabilities() []string {
	return []string{"databases", "users", "read_only", "replication"}
}

// dataDir is where the tables are; a folder of the volume, whose top may hold lost+found.
func (e *Engine) dataDir() string { return filepath.Join(e.server.DataDir, "postgresql") }

func (e *Engine) confPath(name string) string { return filepath.Join(e.server.ConfDir(), name) }
