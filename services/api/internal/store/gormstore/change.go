package gormstore

import (
	"context"
	"maps"
	"slices"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Rename gives an instance another name.
func (s *Store) Rename(ctx context.Context, c store.Change, name string) (store.Instance, error) {
	return s.change(ctx, "rename an instance", c, func(u *unit) (*locked, error) {
		instance, err := u.lock(c.InstanceID)
		if err != nil {
			return nil, err
		}
		if err := u.admitChange(c, instance); err != nil {
			return nil, err
		}
		instance.Name = name
		instance.Updated = u.now.UnixMicro()
		return instance, instance.save()
	})
}

// ResetStatus ends the tasks of an instance at once.
func (s *Store) ResetStatus(ctx context.Context, c store.Change, unknown bool) (store.Instance, error) {
	return s.change(ctx, "reset an instance's status", c, func(u *unit) (*locked, error) {
		concerned, unfinished, err := u.lockConcerned(c.InstanceID)
		if err != nil {
			return nil, err
		}
		instance := concerned[c.InstanceID]
		if err := u.admitChange(c, instance); err != nil {
			return nil, err
		}
		return instance, u.reset(instance, concerned, unfinished, unknown)
	})
}

// change runs a change of one instance, which fn locks, unless its key says that it was done before.
func (s *Store) change(
	ctx context.Context, doing string, c store.Change, fn func(*unit) (*locked, error),
) (store.Instance, error) {
	if c.DryRun {
		c.Idempotency = nil
	}
	var changed store.Instance
	err := s.writer.writeFirst(ctx, doing, func(u *unit) error {
		known, err := u.known(c.Idempotency)
		if err != nil {
			return err
		}
		if known != nil {
			var row instanceRow
			if err := instances.take(u.db, &row, "id = ?", c.InstanceID); err != nil {
				return err
			}
			changed, err = row.instance()
			return err
		}
		instance, err := fn(u)
		if err != nil {
			return err
		}
		if err := u.keep(c.Idempotency, &idempotencyRow{}); err != nil {
			return err
		}
		changed, err = instance.instance()
		return takeBack(c.DryRun, err)
	})
	return changed, passed(err)
}

func (u *unit) admitChange(c store.Change, instance *locked) error {
	if err := visible(instance, c.ProjectID); err != nil || c.Admit == nil {
		return err
	}
	unfinished, err := u.concerning(instance)
	if err != nil {
		return err
	}
	seen, err := scene(instance, unfinished, nil)
	if err != nil {
		return err
	}
	return c.Admit(seen)
}

// lockConcerned locks an instance and all that its unfinished tasks hold along with it, and reads these tasks.
func (u *unit) lockConcerned(instanceID string) (map[string]*locked, []taskRow, error) {
	ids, _, err := u.concernedBy(instanceID)
	if err != nil {
		return nil, nil, err
	}
	all, err := u.lockEach(ids)
	if err != nil {
		return nil, nil, err
	}
	again, unfinished, err := u.concernedBy(instanceID)
	if err != nil {
		return nil, nil, err
	}
	if !slices.Equal(ids, again) {
		return nil, nil, errAgain
	}
	return all, unfinished, nil
}

// concernedBy are the ids, in order, of the instances that the unfinished tasks of an instance hold, and the tasks.
func (u *unit) concernedBy(instanceID string) ([]string, []taskRow, error) {
	instance := &locked{unit: u}
	if err := instances.take(u.db, &instance.instanceRow, "id = ?", instanceID); err != nil {
		return nil, nil, err
	}
	unfinished, err := u.concerning(instance)
	if err != nil {
		return nil, nil, err
	}
	ids := []string{instanceID}
	for i := range unfinished {
		held, err := u.heldBy(&unfinished[i])
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, unfinished[i].InstanceID)
		for _, row := range held {
			ids = append(ids, row.InstanceID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), unfinished, nil
}

// reset ends the tasks. Every epoch is raised, so that guests that hear of a later run refuse the ended ones.
func (u *unit) reset(instance *locked, concerned map[string]*locked, unfinished []taskRow, unknown bool) error {
	for i := range unfinished {
		if err := u.end(&unfinished[i], store.TaskCancelled, nil); err != nil {
			return err
		}
	}
	if unknown {
		instance.ServiceStatus = status.ServiceUnknown
	}
	for _, id := range slices.Sorted(maps.Keys(concerned)) {
		one := concerned[id]
		one.Epoch++
		one.HeldBy, one.TaskStatus = "", status.TaskNone
		if err := u.leave(one); err != nil {
			return err
		}
	}
	return nil
}
