package postgresql

import (
	"context"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/template"
)

// admin is the superuser, the agent's. Its name is Trove's and reserved.
const admin = "os_admin"

// Install clones the data directory from the version's template.
func (e *Engine) Install(ctx context.Context) error {
	source, err := e.programs.template(ctx, e.server.TemplatesDir)
	if err != nil {
		return err
	}
	return template.Clone(ctx, source, e.dataDir(), e.server.Give)
}

// Settle puts the data directory on the disk.
func (e *Engine) Settle(context.Context) error { return template.Settle(e.dataDir()) }
