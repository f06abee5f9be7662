package guestagent

import (
	"context"
	"fmt"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine/mariadb"
)

// MakeTemplate makes the template of a data directory for one exact version, if it is missing, so that the first
// Prepare of that version finds it. The engine's root folder and the prefix of its paths are empty for the machine's own
// programs at their usual places.
func MakeTemplate(ctx context.Context, manager, version, dir, engineRoot, enginePrefix string) error {
	if manager != mariadb.Manager {
		return fmt.Errorf("no templates are made for %q", manager)
	}
	_, err := mariadb.MakeTemplate(ctx, dir, engine.Programs{Root: engineRoot, Prefix: enginePrefix}, version)
	return err
}
