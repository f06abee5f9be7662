package gormstore

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// maxRings bounds how many tasks one transaction rings; the next sweep takes the rest.
const maxRings = 200

// RingDue rings the tasks that may run and for which nobody seems to come. It looks before it writes: a sweep that
// finds nothing costs one read.
func (s *Store) RingDue(ctx context.Context, age time.Duration) (int, error) {
	now := s.clock()
	var due []string
	err := s.reading(ctx).Model(&taskRow{}).
		Where("finished IS NULL AND rung <= ?", now.Add(-age).UnixMicro()).
		Where("(state = ? OR lease_expires <= ?)", store.TaskQueued, now.UnixMicro()).
		Where("NOT EXISTS (SELECT 1 FROM tasks earlier WHERE earlier.instance_id = tasks.instance_id "+
			"AND earlier.finished IS NULL AND earlier.ordinal < tasks.ordinal)").
		Where("NOT EXISTS (SELECT 1 FROM instances WHERE instances.id = tasks.instance_id AND held_by <> '')").
		Order("instance_id").Limit(maxRings).Pluck("id", &due).Error
	if err != nil {
		return 0, translate("look for due tasks", err)
	}
	return s.ringEach(ctx, "ring due tasks", due, func(u *unit, task *taskRow) bool {
		waits := task.State == store.TaskQueued || task.State == store.TaskRunning && !task.leased(u.now)
		return waits && task.Rung <= u.now.Add(-age).UnixMicro()
	})
}

// ReleaseWorker ends a dead worker's leases and rings its tasks.
func (s *Store) ReleaseWorker(ctx context.Context, worker string) (int, error) {
	var held []string
	err := s.reading(ctx).Model(&taskRow{}).
		Where("finished IS NULL AND state = ? AND worker = ?", store.TaskRunning, worker).
		Order("instance_id").Limit(maxRings).Pluck("id", &held).Error
	if err != nil {
		return 0, translate("look for a worker's tasks", err)
	}
	return s.ringEach(ctx, "release a worker's tasks", held, func(u *unit, task *taskRow) bool {
		if task.State != store.TaskRunning || task.Worker != worker {
			return false
		}
		now := u.now.UnixMicro()
		task.LeaseExpires = &now
		return true
	})
}

// ringEach rings the tasks for which still, under the lock, holds what they were chosen for.
func (s *Store) ringEach(
	ctx context.Context, doing string, ids []string, still func(*unit, *taskRow) bool,
) (rung int, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	err = s.writer.write(ctx, doing, func(u *unit) error {
		rung = 0
		for _, id := range ids {
			task, _, _, err := u.lockTask(id, false)
			if errors.Is(err, gorm.ErrRecordNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if !still(u, task) {
				continue
			}
			if err := errors.Join(u.ring(task), u.saveTask(task)); err != nil {
				return err
			}
			rung++
		}
		return nil
	})
	return rung, err
}
