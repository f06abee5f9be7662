package instance

import (
	"context"

	"github.com/coffer-dbaas/coffer/services/guestagent/internal/volume"
)

// Configure writes the configuration for another flavor's memory, MiB. It holds from the database's next start.
func (i *Instance) Configure(_ context.Context, memoryMiB int) error {
	p, err := i.get()
	if err != nil {
		return err
	}
	if err := p.gate.Configure(memoryMiB); err != nil {
		return err
	}
	return i.rechoose(func(c *chosen) { c.MemoryMiB = memoryMiB })
}

// GrowVolume makes the file system fill its grown volume of so many GiB, and measures it.
func (i *Instance) GrowVolume(ctx context.Context, size int) error {
	limit, err := i.volumeLimit()
	if err != nil {
		return err
	}
	// A plain folder has grown with its limit.
	if limit == 0 {
		if err := volume.Grow(ctx, i.Server.DataDir, size); err != nil {
			return err
		}
	}
	select {
	case i.remeasure <- struct{}{}:
	default: // it is asked for already
	}
	return nil
}
