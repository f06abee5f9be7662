package gormstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"gorm.io/gorm"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// idempotencyLife is how long a caller's key is remembered.
const idempotencyLife = 24 * time.Hour

// Accept turns a request into a task.
func (s *Store) Accept(ctx context.Context, a store.Acceptance) (store.Accepted, error) {
	var accepted store.Accepted
	err := s.writer.writeFirst(ctx, "accept "+string(a.Action.Name), func(u *unit) error {
		var err error
		accepted, err = u.accept(a)
		return err
	})
	return accepted, err
}

func (u *unit) accept(a store.Acceptance) (store.Accepted, error) {
	if earlier, err := u.earlier(a.Idempotency); err != nil || earlier != nil {
		return u.repeat(earlier, err)
	}
	instance, err := u.instanceFor(a)
	if err != nil {
		return store.Accepted{}, err
	}
	unfinished, err := u.unfinished(instance.ID)
	if err != nil {
		return store.Accepted{}, err
	}
	if deletion := deletionAmong(unfinished); deletion != nil && a.Action.Admission == action.AdmitDelete {
		return u.repeat(deletion, u.remember(a.Idempotency, deletion.ID))
	}
	if err := admit(a, instance, unfinished); err != nil {
		return store.Accepted{}, err
	}
	if err := u.takeQuota(instance.ProjectID, a.Quota, a.QuotaLimits); err != nil {
		return store.Accepted{}, err
	}
	if a.Action.Admission == action.AdmitDelete {
		if unfinished, err = u.stopAll(unfinished); err != nil {
			return store.Accepted{}, err
		}
	}
	return u.enter(a, instance, len(unfinished) == 0)
}

// instanceFor is the locked row that the acceptance is about, or a new one that is not yet written.
func (u *unit) instanceFor(a store.Acceptance) (*locked, error) {
	if a.New != nil {
		row, err := newInstanceRow(*a.New, u.now)
		return &locked{instanceRow: row, unit: u}, err
	}
	instance, err := u.lock(a.InstanceID)
	if err != nil {
		return nil, err
	}
	if instance.Deleted != nil || a.ProjectID != "" && instance.ProjectID != a.ProjectID {
		return nil, store.ErrNotFound
	}
	return instance, nil
}

func admit(a store.Acceptance, instance *locked, unfinished []taskRow) error {
	if a.Admit == nil {
		return nil
	}
	shown, err := instance.instance()
	if err != nil {
		return err
	}
	others, err := tasksOf(unfinished)
	if err != nil {
		return err
	}
	return a.Admit(store.Scene{Instance: shown, Unfinished: others})
}

func deletionAmong(rows []taskRow) *taskRow {
	for i := range rows {
		if rows[i].admission() == action.AdmitDelete {
			return &rows[i]
		}
	}
	return nil
}

// stopAll makes way for a deletion: tasks that no run has started end at once, the others at their next step border.
// It answers those that the deletion must wait for.
func (u *unit) stopAll(unfinished []taskRow) (running []taskRow, err error) {
	for i := range unfinished {
		task := &unfinished[i]
		if task.State == store.TaskQueued {
			if err := u.end(task, store.TaskCancelled, nil); err != nil {
				return nil, err
			}
			continue
		}
		task.Stop = int32(journalv1.StopMode_STOP_MODE_ABANDON)
		if err := u.saveTask(task); err != nil {
			return nil, err
		}
		running = append(running, *task)
	}
	return running, nil
}

// enter writes the instance, its task and what belongs to it; due says that the task may run at once.
func (u *unit) enter(a store.Acceptance, instance *locked, due bool) (store.Accepted, error) {
	before := lasting(instance.TaskStatus)
	instance.TaskStatus = a.Action.TaskStatus
	instance.TasksAccepted++
	instance.Updated = u.now.UnixMicro()
	command, err := proto.Marshal(a.Command)
	if err != nil {
		return store.Accepted{}, fmt.Errorf("write the command: %w", err)
	}
	task := &taskRow{
		ID: a.Command.GetTaskId(), InstanceID: instance.ID, Ordinal: instance.TasksAccepted, InstanceName: instance.Name,
		ProjectID: instance.ProjectID, RequestID: a.RequestID, Action: a.Action.Name, State: store.TaskQueued,
		StatusBefore: before, Command: command, Created: u.now.UnixMicro(),
	}
	if due {
		if err := u.ring(task); err != nil {
			return store.Accepted{}, err
		}
	}
	save := instance.save
	if a.New != nil {
		save = instance.create
	}
	if err := errors.Join(u.tellTask(task), save()); err != nil {
		return store.Accepted{}, err
	}
	if err := tasks.create(u.db, task); err != nil {
		return store.Accepted{}, err
	}
	if len(a.Secrets) > 0 {
		row := &secretRow{TaskID: task.ID, InstanceID: instance.ID, Sealed: a.Secrets}
		if err := u.db.Create(row).Error; err != nil {
			return store.Accepted{}, err
		}
	}
	if err := u.remember(a.Idempotency, task.ID); err != nil {
		return store.Accepted{}, err
	}
	return accepted(task, instance)
}

// lasting is the task status without what a task made of it for its own time.
func lasting(s status.Task) status.Task {
	if s.IsError() || s == status.TaskRestartRequired {
		return s
	}
	return status.TaskNone
}

func (l *locked) create() error {
	if err := instances.create(l.unit.db, &l.instanceRow); err != nil {
		return err
	}
	return l.tell()
}

func accepted(row *taskRow, instance *locked) (store.Accepted, error) {
	task, err := row.task()
	if err != nil {
		return store.Accepted{}, err
	}
	shown, err := instance.instance()
	return store.Accepted{Task: task, Instance: shown}, err
}

// earlier is the task that was accepted under the key; nil when none was.
func (u *unit) earlier(key *store.Idempotency) (*taskRow, error) {
	if key == nil {
		return nil, nil
	}
	var known idempotencyRow
	err := u.db.Where("project_id = ? AND idempotency_key = ? AND expires > ?", key.ProjectID, key.Key, u.now.UnixMicro()).
		Take(&known).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(known.Fingerprint, key.Fingerprint) {
		return nil, store.ErrIdempotencyMismatch
	}
	task := &taskRow{}
	return task, tasks.take(u.db, task, "id = ?", *known.TaskID)
}

// repeat answers with an earlier task and its instance as they are now.
func (u *unit) repeat(task *taskRow, err error) (store.Accepted, error) {
	if err != nil {
		return store.Accepted{}, err
	}
	instance := &locked{unit: u}
	if err := instances.take(u.db, &instance.instanceRow, "id = ?", task.InstanceID); err != nil {
		return store.Accepted{}, err
	}
	answer, err := accepted(task, instance)
	answer.Repeated = true
	return answer, err
}

// remember keeps the key for its life. Where two calls with one key meet, the second finds the first's on its next run.
func (u *unit) remember(key *store.Idempotency, taskID string) error {
	if key == nil {
		return nil
	}
	err := u.db.Where("project_id = ? AND idempotency_key = ? AND expires <= ?", key.ProjectID, key.Key, u.now.UnixMicro()).
		Delete(&idempotencyRow{}).Error
	if err != nil {
		return err
	}
	err = u.db.Create(&idempotencyRow{
		ProjectID: key.ProjectID, IdempotencyKey: key.Key, Fingerprint: key.Fingerprint, TaskID: &taskID,
		Expires: u.now.Add(idempotencyLife).UnixMicro(),
	}).Error
	if duplicated(err) {
		return errAgain
	}
	return err
}
