package gormstore

import (
	"context"

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
	list := make([]store.Instance, 0, len(rows))
	for i := range rows {
		instance, err := rows[i].instance()
		if err != nil {
			return nil, "", err
		}
		list = append(list, instance)
	}
	return list, next, nil
}
