package gormstore

import (
	"cmp"
	"context"
	"math/bits"
	"slices"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Instance finds a living instance.
func (s *Store) Instance(ctx context.Context, projectID, id string) (store.Instance, error) {
	row, err := s.living(ctx, id)
	if err != nil {
		return store.Instance{}, translate("read an instance", err)
	}
	if projectID != "" && row.ProjectID != projectID {
		return store.Instance{}, store.ErrNotFound
	}
	return row.shown()
}

func (s *Store) living(ctx context.Context, id string) (*remembered, error) {
	read := func() (row instanceRow, err error) {
		return row, instances.take(s.reading(ctx), &row, "id = ? AND deleted IS NULL", id)
	}
	if s.memory == nil {
		row, err := read()
		return remember(row), err
	}
	return s.memory.get(id, read)
}

// InstanceEver finds an instance, deleted or not.
func (s *Store) InstanceEver(ctx context.Context, id string) (store.Instance, error) {
	var row instanceRow
	if err := instances.take(s.reading(ctx), &row, "id = ?", id); err != nil {
		return store.Instance{}, translate("read an instance", err)
	}
	return row.instance()
}

// InstanceSet is the replication set of a living instance.
func (s *Store) InstanceSet(ctx context.Context, projectID, id string) ([]store.Instance, error) {
	found, err := s.Instance(ctx, projectID, id)
	if err != nil {
		return nil, err
	}
	source := cmp.Or(found.ReplicaOf, found.ID)
	rows, err := instances.find(s.reading(ctx),
		"deleted IS NULL AND id = ? OR "+ofSource+" ORDER BY CASE WHEN id = ? THEN 0 ELSE 1 END, id", source, source, source)
	if err != nil {
		return nil, translate("read a replication set", err)
	}
	return instancesOf(rows)
}

// Replicas are the ids of the living replicas of each of the instances.
func (s *Store) Replicas(ctx context.Context, ids []string) (map[string][]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if s.memory != nil {
		all, err := s.memory.following(func() ([]instanceRow, error) { return s.followers(ctx, "replica_of <> ''") })
		if err != nil {
			return nil, translate("look for replicas", err)
		}
		return all.replicas, nil
	}
	rows, err := s.followers(ctx, "replica_of <> '' AND replica_of IN ?", padded(ids))
	if err != nil {
		return nil, translate("look for replicas", err)
	}
	return newFollowing(rows).replicas, nil
}

// followers are the ids of living replicas and their sources', by id.
func (s *Store) followers(ctx context.Context, condition string, values ...any) (rows []instanceRow, err error) {
	return rows, s.reading(ctx).Select("id", "replica_of").Where(condition, values...).Where("deleted IS NULL").
		Order("id").Find(&rows).Error
}

// padded repeats the last id until there are 2, 4, 8 …, so that only few statements are kept prepared.
func padded(ids []string) []string {
	size := 1 << bits.Len(uint(len(ids)-1))
	return append(slices.Clone(ids), slices.Repeat(ids[len(ids)-1:], size-len(ids))...)
}

// ListInstances lists the living instances of a project by id.
func (s *Store) ListInstances(ctx context.Context, projectID string, page store.Page) ([]store.Instance, string, error) {
	var rows []instanceRow
	err := s.reading(ctx).
		Where("project_id = ? AND id > ? AND deleted IS NULL", projectID, page.Marker).
		Order("id").Limit(page.Limit + 1).Find(&rows).Error
	if err != nil {
		return nil, "", translate("list instances", err)
	}
	next := ""
	if len(rows) > page.Limit {
		rows = rows[:page.Limit]
		next = rows[len(rows)-1].ID
	}
	list, err := instancesOf(rows)
	return list, next, err
}

// ListAllInstances lists instances of all projects, those updated last first.
func (s *Store) ListAllInstances(
	ctx context.Context, f store.InstanceFilter, page store.Page,
) ([]store.Instance, bool, error) {
	query := s.reading(ctx).Order("updated DESC, id").Offset(page.Offset).Limit(page.Limit + 1)
	if f.ProjectID != "" {
		query = query.Where("project_id = ?", f.ProjectID)
	}
	if f.Deleted != nil && *f.Deleted {
		query = query.Where("deleted IS NOT NULL")
	}
	if f.Deleted != nil && !*f.Deleted {
		query = query.Where("deleted IS NULL")
	}
	if f.NeverActive {
		query = query.Where("ever_active = ?", false)
	}
	var rows []instanceRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, false, translate("list instances of all projects", err)
	}
	more := len(rows) > page.Limit
	list, err := instancesOf(rows[:min(page.Limit, len(rows))])
	return list, more, err
}

func instancesOf(rows []instanceRow) ([]store.Instance, error) {
	list := make([]store.Instance, 0, len(rows))
	for i := range rows {
		instance, err := rows[i].instance()
		if err != nil {
			return nil, err
		}
		list = append(list, instance)
	}
	return list, nil
}
