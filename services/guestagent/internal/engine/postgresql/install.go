package postgresql

import (
	"context"
	"fmt"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/template"
)

// admin is the superuser, the agent's. Its name is Trove's and reserved.
const admin = "os_admin"

// Install clones the data directory from the version's template and makes it one of its own.
func (e *Engine) Install(ctx context.Context) error {
	source, err := e.programs.template(ctx, e.server.TemplatesDir)
	if err != nil {
		return err
	}
	if err := template.Clone(ctx, source, e.dataDir(), e.server.Give); err != nil {
		return err
	}
	if err := e.takeOrigin(source); err != nil {
		return fmt.Errorf("make the data directory one of its own: %w", err)
	}
	return nil
}

// Settle puts the data directory on the disk.
func (e *Engine) Settle(context.Context) error { return template.Settle(e.dataDir()) }
