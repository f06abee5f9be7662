package gormstore

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/coffer-dbaas/coffer/pkg/action"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Task finds a task with its steps.
func (s *Store) Task(ctx context.Context, projectID, id string) (store.Task, error) {
	var row taskRow
	if err := tasks.take(s.reading(ctx), &row, "id = ?", id); err != nil {
		return store.Task{}, translate("read a task", err)
	}
	if projectID != "" && row.ProjectID != projectID {
		return store.Task{}, store.ErrNotFound
	}
	return row.task()
}

// ListTasks lists tasks with their steps, newest first.
func (s *Store) ListTasks(ctx context.Context, f store.TaskFilter, page store.Page) ([]store.Task, string, error) {
	query := filtered(s.reading(ctx), f).Order("created DESC, id DESC").Offset(page.Offset).Limit(page.Limit + 1)
	if page.Marker != "" {
		last, err := s.Task(ctx, f.ProjectID, page.Marker)
		if err != nil {
			return nil, "", err
		}
		created := last.Created.UnixMicro()
		query = query.Where("(created < ? OR created = ? AND id < ?)", created, created, last.ID)
	}
	var rows []taskRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, "", translate("list tasks", err)
	}
	next := ""
	if len(rows) > page.Limit {
		rows = rows[:page.Limit]
		next = rows[len(rows)-1].ID
	}
	list, err := tasksOf(rows)
	return list, next, err
}

// CountTasks says how many tasks the filter lets pass.
func (s *Store) CountTasks(ctx context.Context, f store.TaskFilter) (int, error) {
	var n int64
	err := filtered(s.reading(ctx).Model(&taskRow{}), f).Count(&n).Error
	return int(n), translate("count tasks", err)
}

func filtered(query *gorm.DB, f store.TaskFilter) *gorm.DB {
	if f.ProjectID != "" {
		query = query.Where("project_id = ?", f.ProjectID)
	}
	if f.InstanceID != "" {
		query = query.Where("(instance_id = ? OR id IN (SELECT task_id FROM task_members WHERE instance_id = ?))",
			f.InstanceID, f.InstanceID)
	}
	if len(f.States) > 0 {
		query = query.Where("state IN ?", f.States)
	}
	if len(f.Actions) > 0 {
		query = query.Where("action IN ?", f.Actions)
	}
	if !f.From.IsZero() {
		query = query.Where("created >= ?", f.From.UnixMicro())
	}
	if !f.Until.IsZero() {
		query = query.Where("created <= ?", f.Until.UnixMicro())
	}
	return query
}

// CancelTask asks a task to stop.
func (s *Store) CancelTask(
	ctx context.Context, projectID, id string, key *store.Idempotency, allowed func(store.Task) error,
) (store.Task, error) {
	var cancelled store.Task
	err := s.writer.writeFirst(ctx, "cancel a task", func(u *unit) error {
		earlier, err := u.earlier(key)
		if err != nil {
			return err
		}
		if earlier != nil {
			cancelled, err = earlier.task()
			return err
		}
		row, instance, members, err := u.lockTask(id, true)
		if err != nil {
			return err
		}
		if projectID != "" && row.ProjectID != projectID {
			return store.ErrNotFound
		}
		task, err := row.task()
		if err != nil {
			return err
		}
		if err := allowed(task); err != nil {
			return err
		}
		if err := errors.Join(u.cancel(row, instance, members), u.remember(key, row.ID)); err != nil {
			return err
		}
		cancelled, err = row.task()
		return err
	})
	return cancelled, err
}

func (u *unit) cancel(task *taskRow, instance *locked, members []*member) error {
	switch {
	case task.State.Ended() || task.Stop != int32(journalv1.StopMode_STOP_MODE_UNSPECIFIED):
		return nil
	case task.State == store.TaskRunning:
		task.Stop = int32(journalv1.StopMode_STOP_MODE_UNDO)
		return u.saveTask(task)
	}
	instance.TaskStatus = task.StatusBefore
	if task.admission() == action.AdmitNew {
		instance.TaskStatus = lostStatus(task.Action)
		instance.setFault(&store.Fault{
			Message: "The creation of the instance was cancelled before it began; delete the instance.",
		}, u.now)
	}
	if err := u.end(task, store.TaskCancelled, nil); err != nil {
		return err
	}
	for _, m := range members {
		if err := u.letGo(m, m.held.StatusBefore); err != nil {
			return err
		}
	}
	return u.leave(instance)
}

// end writes the task's end, forgets its secrets and gives back the quota that it still holds.
func (u *unit) end(task *taskRow, state store.TaskState, failure *store.TaskError) error {
	task.State = state
	task.setError(failure)
	if state == store.TaskSucceeded {
		task.Progress = 100
	}
	finished := u.now.UnixMicro()
	task.Finished = &finished
	task.LeaseExpires = nil
	if err := u.dropSecrets(task.ID); err != nil {
		return err
	}
	held, err := task.quota()
	if err != nil {
		return err
	}
	if err := errors.Join(u.giveBack(task.ProjectID, held), task.setQuota(nil)); err != nil {
		return err
	}
	return errors.Join(u.saveTask(task), u.tellTask(task))
}

func (u *unit) dropSecrets(taskID string) error {
	return u.db.Where("task_id = ?", taskID).Delete(&secretRow{}).Error
}

// leave writes the instance after one of its tasks has ended: the next one is rung, and what it will do is what
// users see from now on.
func (u *unit) leave(instance *locked) error {
	instance.Updated = u.now.UnixMicro()
	waiting, err := u.unfinished(instance.ID)
	if err != nil {
		return err
	}
	if len(waiting) > 0 {
		if err := u.next(instance, waiting); err != nil {
			return err
		}
	}
	return instance.save()
}

func (u *unit) next(instance *locked, waiting []taskRow) error {
	shown := &waiting[0]
	if deletion := deletionAmong(waiting); deletion != nil {
		shown = deletion
	}
	if a, known := action.Lookup(shown.Action); known {
		instance.TaskStatus = a.TaskStatus
	}
	first := &waiting[0]
	if first.State != store.TaskQueued {
		return nil
	}
	if err := u.ring(first); err != nil {
		return err
	}
	return u.saveTask(first)
}
