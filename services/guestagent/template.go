package guestagent

import (
	"context"
	"fmt"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine/mariadb"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine/postgresql"
)

// templates make each engine's, and give the data directory.
var templates = map[string]func(ctx context.Context, dir string, among engine.Programs, version string) (string, error){
	mariadb.Manager: mariadb.MakeTemplate, postgresql.Manager: postgresql.MakeTemplate,
}

// MakeTemplate makes the template of a data directory for one exact version, if it is missing, so that the first
// Prepare of that version finds it. The engine's root folder and the prefix of its paths are empty for the machine's own
// programs at their usual places.
func MakeTemplate(ctx context.Context, manager, version, dir, engineRoot, enginePrefix string) error {
	makeOne, known := templates[manager]
	if !known {
		return fmt.Errorf("no templates are made for %q", manager)
	}
	_, err := makeOne(ctx, dir, engine.Programs{Root: engineRoot, Prefix: enginePrefix}, version)
	return err
}
