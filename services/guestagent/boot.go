package guestagent

import (
	"context"
	"path/filepath"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/boot"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/unit"
)

// The database's unit and the agent's own where systemd is the machine's init; the latter's file is in deploy/image.
const (
	databaseUnit = "coffer-database.service"
	agentUnit    = "coffer-guestagent.service"
)

// Boot makes this machine, which has one database and nothing else to do, what its user data say, and serves it as Run
// does. Needs root.
func Boot(ctx context.Context, config Config) error {
	if err := config.Validate(); err != nil {
		return err
	}
	machine := boot.ThisMachine(config.Dir, config.Log)
	if err := machine.Prepare(ctx); err != nil {
		return err
	}
	if unit.Booted() {
		config.launcher = unit.Launcher{
			Name: databaseUnit, Agent: agentUnit, Needs: filepath.Join(config.Dir, boot.VolumeFolder),
		}
	}
	return Run(ctx, config)
}
