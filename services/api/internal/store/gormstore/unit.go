package gormstore

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"gorm.io/gorm"

	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// unit is one write: a transaction of its own, or a savepoint of a shared one.
type unit struct {
	db *gorm.DB
	// now is the time of everything that the unit writes.
	now time.Time
	// shared says that others may write at the same time, so that what was read before a lock is to be read again.
	shared bool
	// messages are written to the outbox after the unit.
	messages []outboxRow
	// changed are the instances' rows that it wrote, and recall knows those from before; both are nil where rows are
	// always read anew.
	changed written
	recall  func(id string) (instanceRow, bool)
}

// locked is an instance's row under the unit's lock, with what users saw of it before.
type locked struct {
	instanceRow
	unit *unit
	// was is the row as the database has it.
	was  instanceRow
	seen *eventv1.InstanceEvent
}

// lock locks the row of an instance, deleted or not.
func (u *unit) lock(instanceID string) (*locked, error) {
	l := &locked{unit: u}
	if err := u.readLocked(&l.instanceRow, instanceID); err != nil {
		return nil, err
	}
	l.was = l.instanceRow
	l.seen = store.InstanceEvent(l.plain(), u.now)
	return l, nil
}

func (u *unit) readLocked(row *instanceRow, id string) error {
	if u.shared {
		return instances.take(u.db, row, "id = ? FOR UPDATE", id)
	}
	if changed, known := u.changed[id]; known {
		*row = changed
		return nil
	}
	if recalled, known := u.recall(id); known {
		*row = recalled
		return nil
	}
	return instances.take(u.db, row, "id = ?", id)
}

// save writes the row back and tells what users see, if that changed.
func (l *locked) save() error {
	if err := instances.save(l.unit.db, &l.was, &l.instanceRow); err != nil {
		return err
	}
	return l.tell()
}

// tell says what users see of the row, which has just been written.
func (l *locked) tell() error {
	l.was = l.instanceRow
	if l.unit.changed != nil {
		l.unit.changed[l.ID] = l.instanceRow
	}
	now := store.InstanceEvent(l.plain(), l.unit.now)
	if proto.Equal(l.seen, now) {
		return nil
	}
	l.seen = now
	return l.unit.tellInstance(l.ProjectID, now)
}

// lockTask locks the instance of a task, with its members if they are asked for, and reads the task under these locks.
func (u *unit) lockTask(taskID string, withMembers bool) (*taskRow, *locked, []*member, error) {
	task := &taskRow{}
	if err := u.readTask(task, taskID); err != nil {
		return nil, nil, nil, err
	}
	ids := []string{task.InstanceID}
	var held []memberRow
	if withMembers {
		var err error
		// They are written with the task and never change.
		if held, err = u.heldBy(task); err != nil {
			return nil, nil, nil, err
		}
		for _, row := range held {
			ids = append(ids, row.InstanceID)
		}
	}
	all, err := u.lockEach(ids)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("instances of task %s: %w", taskID, err)
	}
	if u.shared {
		if err := u.readTask(task, taskID); err != nil {
			return nil, nil, nil, err
		}
	}
	members := make([]*member, 0, len(held))
	for _, row := range held {
		members = append(members, &member{locked: all[row.InstanceID], held: row})
	}
	return task, all[task.InstanceID], members, nil
}

// lockRun locks the task of a run that is still its newest.
func (u *unit) lockRun(run store.Run, withMembers bool) (*taskRow, *locked, []*member, error) {
	task, instance, members, err := u.lockTask(run.TaskID, withMembers)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil, nil, store.ErrSuperseded
	}
	if err != nil {
		return nil, nil, nil, err
	}
	return task, instance, members, task.held(run)
}

// held refuses a run that is not the task's newest, or whose task has ended.
func (r *taskRow) held(run store.Run) error {
	if r.State != store.TaskRunning || r.Epoch != run.Epoch {
		return store.ErrSuperseded
	}
	return nil
}

func (u *unit) readTask(task *taskRow, id string) error {
	err := tasks.take(u.db, task, "id = ?", id)
	task.markWritten()
	return err
}

// saveTask writes the row back.
func (u *unit) saveTask(task *taskRow) error {
	err := tasks.save(u.db, task.was, task)
	task.markWritten()
	return err
}

// unfinished are the instance's unfinished tasks in order of acceptance.
func (u *unit) unfinished(instanceID string) ([]taskRow, error) {
	rows, err := tasks.find(u.db, "instance_id = ? AND finished IS NULL ORDER BY ordinal", instanceID)
	for i := range rows {
		rows[i].markWritten()
	}
	return rows, err
}
