package guestagent

import (
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/process"
)

// Config is what an agent is started with; all else is in the server's folder.
type Config struct {
	// Dir is the server's folder. Absolute.
	Dir string
	// Version is the agent's, told by GetInfo.
	Version string
	Log     *slog.Logger
	// PowerOff is closed when the machine goes down: the database is stopped then, and the agent ends. Nil: never.
	PowerOff <-chan struct{}

	// launcher starts the database's process; nil: as the agent's child.
	launcher process.Launcher
}

// Validate joins all that is wrong.
func (c Config) Validate() error {
	var faults []error
	if !filepath.IsAbs(c.Dir) {
		faults = append(faults, errors.New("the server's folder must be an absolute path"))
	}
	if c.Log == nil {
		faults = append(faults, errors.New("a logger is missing"))
	}
	return errors.Join(faults...)
}
