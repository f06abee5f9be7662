package guestagent

import (
	"context"
	"path/filepath"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/boot"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/unit"
)

// databaseUnit is the database's unit where systemd is the machine's init.
const databaseUnit = "coffer-database.service"

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
		config.launcher = unit.Launcher{Name: databaseUnit, Needs: filepath.Join(config.Dir, boot.VolumeFolder)}
	}
	return Run(ctx, config)
}
