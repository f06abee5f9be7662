package gormstore

import (
	"context"
	"maps"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const unlimited = -1

// takeQuota takes all or refuses naming every resource that has not enough left. Each is one conditional update, so
// that two projects' members never wait for a count and none is taken twice.
func (u *unit) takeQuota(projectID string, take, defaults map[store.Resource]int) error {
	if len(take) == 0 {
		return nil
	}
	limits, err := quotaLimits(u.db, projectID)
	if err != nil {
		return err
	}
	var exceeded []store.Resource
	// In one order always, so that two transactions cannot wait for each other.
	for _, resource := range slices.Sorted(maps.Keys(take)) {
		limit, own := limits[resource]
		if !own {
			var known bool
			if limit, known = defaults[resource]; !known {
				limit = unlimited
			}
		}
		taken, err := u.take(projectID, resource, take[resource], limit)
		if err != nil {
			return err
		}
		if !taken {
			exceeded = append(exceeded, resource)
		}
	}
	if len(exceeded) > 0 {
		return store.QuotaExceeded(exceeded)
	}
	return nil
}

func (u *unit) take(projectID string, resource store.Resource, n, limit int) (bool, error) {
	row := &quotaUsageRow{ProjectID: projectID, Resource: resource}
	if err := u.db.Clauses(clause.OnConflict{DoNothing: true}).Create(row).Error; err != nil {
		return false, err
	}
	update := u.db.Model(&quotaUsageRow{}).Where("project_id = ? AND resource = ?", projectID, resource)
	if limit != unlimited {
		update = update.Where("in_use + ? <= ?", n, limit)
	}
	update = update.Update("in_use", gorm.Expr("in_use + ?", n))
	return update.RowsAffected == 1, update.Error
}

// holds is what the row holds of its project's quota.
func (r *instanceRow) holds() map[store.Resource]int {
	return map[store.Resource]int{
		store.ResourceInstances: 1,
		store.ResourceRAM:       r.RAM,
		store.ResourceVolumes:   r.VolumeSize,
	}
}

// moveQuota moves what an instance came to hold from the task to it, and what it holds no more back to the task, which
// gives it back at its end: until then the change may still be undone. What the task does not hold is taken whatever the
// limit, because it is there.
func (u *unit) moveQuota(task *taskRow, before, after map[store.Resource]int) error {
	held, err := task.quota()
	if err != nil {
		return err
	}
	for _, resource := range slices.Sorted(maps.Keys(after)) {
		grown := after[resource] - before[resource]
		if missing := grown - held[resource]; grown > 0 && missing > 0 {
			if _, err := u.take(task.ProjectID, resource, missing, unlimited); err != nil {
				return err
			}
			grown -= missing
		}
		if grown != 0 {
			if held == nil {
				held = map[store.Resource]int{}
			}
			held[resource] -= grown
		}
	}
	return task.setQuota(held)
}

// giveBack returns quota to a project.
func (u *unit) giveBack(projectID string, quota map[store.Resource]int) error {
	for _, resource := range slices.Sorted(maps.Keys(quota)) {
		n := quota[resource]
		err := u.db.Model(&quotaUsageRow{}).Where("project_id = ? AND resource = ?", projectID, resource).
			Update("in_use", gorm.Expr("CASE WHEN in_use < ? THEN 0 ELSE in_use - ? END", n, n)).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// QuotaInUse is what a project has taken.
func (s *Store) QuotaInUse(ctx context.Context, projectID string) (map[store.Resource]int, error) {
	var rows []quotaUsageRow
	err := s.reading(ctx).Where("project_id = ?", projectID).Find(&rows).Error
	used := make(map[store.Resource]int, len(rows))
	for _, row := range rows {
		used[row.Resource] = row.InUse
	}
	return used, translate("read quota in use", err)
}

// QuotaLimits are the limits of the project's own.
func (s *Store) QuotaLimits(ctx context.Context, projectID string) (map[store.Resource]int, error) {
	limits, err := quotaLimits(s.reading(ctx), projectID)
	return limits, translate("read quota limits", err)
}

func quotaLimits(db *gorm.DB, projectID string) (map[store.Resource]int, error) {
	var rows []quotaLimitRow
	err := db.Where("project_id = ?", projectID).Find(&rows).Error
	limits := make(map[store.Resource]int, len(rows))
	for _, row := range rows {
		limits[row.Resource] = row.HardLimit
	}
	return limits, err
}
