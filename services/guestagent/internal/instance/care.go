package instance

import (
	"context"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/role"
)

const (
	// refreezePause is the pause between two attempts to end what a freeze of a former agent began.
	refreezePause = time.Second
	// trimInterval is how often the history for replicas is trimmed.
	trimInterval = time.Minute
	// historyPercent is what part of the volume the history may take, and leastHistory what it may take in any case.
	historyPercent = 10
	leastHistory   = 128 << 20
)

// keepFrozen is for an agent that begins while the role is Frozen: the former one may have died before the database was.
func (i *Instance) keepFrozen(ctx context.Context) {
	i.AwaitAdoption(ctx)
	for ctx.Err() == nil && i.roles.State().Role == role.Frozen {
		err := i.changeRole(ctx, func(p *parts, r engine.Replicator) error {
			if i.roles.State().Role != role.Frozen {
				return nil
			}
			_, err := r.Freeze(ctx, p.loop)
			return err
		})
		if err == nil {
			return
		}
		i.Log.Warn("the server could not be frozen again", "error", err)
		pause.For(ctx, refreezePause)
	}
}

// trimHistory keeps what is kept for replicas from filling the volume.
func (i *Instance) trimHistory(ctx context.Context) {
	for pause.For(ctx, trimInterval) {
		_, r, err := i.replicator()
		latest := i.Hub.Latest()
		if err != nil || latest.PID == 0 || latest.Volume.Total == 0 {
			continue
		}
		limit := max(latest.Volume.Total/100*historyPercent, leastHistory)
		if err := r.TrimHistory(ctx, limit); err != nil && ctx.Err() == nil {
			i.Log.Warn("the history for replicas could not be trimmed", "error", err)
		}
	}
}
