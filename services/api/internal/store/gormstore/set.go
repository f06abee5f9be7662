package gormstore

import (
	"cmp"
	"errors"
	"slices"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// ofSource finds the living replicas of a source; the first condition is the index's own.
const ofSource = "replica_of <> '' AND replica_of = ? AND deleted IS NULL"

// lockEach locks the rows, always in the order of their ids, so that two transactions cannot wait for each other.
func (u *unit) lockEach(ids []string) (map[string]*locked, error) {
	all := make(map[string]*locked, len(ids))
	for _, id := range slices.Sorted(slices.Values(ids)) {
		if all[id] != nil {
			continue
		}
		row, err := u.lock(id)
		if err != nil {
			return nil, err
		}
		all[id] = row
	}
	return all, nil
}

// lockSet locks an instance and the others of its replication set, the source first among them.
func (u *unit) lockSet(instanceID string) (*locked, []*locked, error) {
	source, ids, err := u.setOf(instanceID)
	if err != nil {
		return nil, nil, err
	}
	all, err := u.lockEach(ids)
	if err != nil {
		return nil, nil, err
	}
	if u.shared {
		again, idsAgain, err := u.setOf(instanceID)
		if err != nil {
			return nil, nil, err
		}
		if again != source || !slices.Equal(ids, idsAgain) {
			return nil, nil, errAgain
		}
	}
	var others []*locked
	for id, row := range all {
		if id != instanceID && row.Deleted == nil {
			others = append(others, row)
		}
	}
	slices.SortFunc(others, func(a, b *locked) int {
		switch {
		case a.ID == source:
			return -1
		case b.ID == source:
			return 1
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return all[instanceID], others, nil
}

// setOf are the ids of an instance's set, in order, and that of its source.
func (u *unit) setOf(instanceID string) (source string, ids []string, err error) {
	var row instanceRow
	if err := instances.take(u.db, &row, "id = ?", instanceID); err != nil {
		return "", nil, err
	}
	source = cmp.Or(row.ReplicaOf, row.ID)
	if err := u.db.Model(&instanceRow{}).Where(ofSource, source).Pluck("id", &ids).Error; err != nil {
		return "", nil, err
	}
	ids = append(ids, source, instanceID)
	slices.Sort(ids)
	return source, slices.Compact(ids), nil
}

// membersFor are the others of the set that the task of a whole set holds. Those that were never active are none.
func (u *unit) membersFor(a store.Acceptance, instance *locked, others []*locked) ([]*locked, error) {
	var members []*locked
	for _, one := range append([]*locked{instance}, others...) {
		building := one != instance && !one.EverActive
		if building && a.Action.Admission == action.AdmitEject {
			continue
		}
		unfinished, err := u.concerning(one)
		if err != nil {
			return nil, err
		}
		if len(unfinished) > 0 {
			shown, err := one.instance()
			return nil, errors.Join(store.SetBusy(shown), err)
		}
		if one != instance && !building {
			members = append(members, one)
		}
	}
	return members, nil
}

// hold writes that the task holds the members until it ends.
func (u *unit) hold(task *taskRow, members []*locked, shown status.Task) error {
	for _, m := range members {
		row := &memberRow{TaskID: task.ID, InstanceID: m.ID, StatusBefore: lasting(m.TaskStatus)}
		m.HeldBy, m.TaskStatus, m.Updated = task.ID, shown, u.now.UnixMicro()
		if err := errors.Join(u.db.Create(row).Error, m.save()); err != nil {
			return err
		}
	}
	return nil
}

// concerning are the unfinished tasks that concern an instance: its own in order of acceptance, and before them the one
// that holds it as a member of its set.
func (u *unit) concerning(instance *locked) ([]taskRow, error) {
	own, err := u.unfinished(instance.ID)
	if err != nil || instance.HeldBy == "" {
		return own, err
	}
	var holder taskRow
	if err := u.readTask(&holder, instance.HeldBy); err != nil {
		return nil, err
	}
	return append([]taskRow{holder}, own...), nil
}

// member is an instance that a task of another one holds, under the unit's lock.
type member struct {
	*locked

	held memberRow
}

// heldBy are what is written of a task's members, by id; a task that is not about a whole set has none.
func (u *unit) heldBy(task *taskRow) ([]memberRow, error) {
	if a, _ := action.Lookup(task.Action); !a.WholeSet {
		return nil, nil
	}
	var rows []memberRow
	return rows, u.db.Where("task_id = ?", task.ID).Order("instance_id").Find(&rows).Error
}

// letGo leaves a member with the task status, and rings what waited for the task to end.
func (u *unit) letGo(m *member, left status.Task) error {
	m.HeldBy, m.TaskStatus = "", cmp.Or(left, status.TaskNone)
	return u.leave(m.locked)
}

func (m *member) shown() (store.Member, error) {
	instance, err := m.instance()
	return store.Member{Instance: instance, Problem: m.held.Problem}, err
}

func shownMembers(members []*member) ([]store.Member, error) {
	var list []store.Member
	for _, m := range members {
		shown, err := m.shown()
		if err != nil {
			return nil, err
		}
		list = append(list, shown)
	}
	return list, nil
}

// scene is what Admit sees.
func scene(instance *locked, unfinished []taskRow, others []*locked) (store.Scene, error) {
	seen := store.Scene{}
	var err error
	if seen.Instance, err = instance.instance(); err != nil {
		return seen, err
	}
	if seen.Unfinished, err = tasksOf(unfinished); err != nil {
		return seen, err
	}
	for _, one := range others {
		shown, err := one.instance()
		if err != nil {
			return seen, err
		}
		seen.Others = append(seen.Others, shown)
	}
	return seen, nil
}
