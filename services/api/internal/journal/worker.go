package journal

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pki"
)

// speaksFor says whether the caller is the taskmanager that it names: over the network its certificate must say so too,
// so that one taskmanager cannot take the tasks or the guests of another.
func speaksFor(ctx context.Context, worker string) error {
	if worker == "" {
		return errs.New(errs.Invalid, "WORKER", "A taskmanager has a name.")
	}
	if peer, remote := pki.PeerName(ctx); remote && peer != pki.TaskmanagerName(worker) {
		return errs.New(errs.Forbidden, "WRONG_PEER", "%s may not speak for taskmanager %s.", peer, worker)
	}
	return nil
}
