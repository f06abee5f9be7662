package gormstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Accept turns a request into a task.
func (s *Store) Accept(ctx context.Context, a store.Acceptance) (store.Accepted, error) {
	var accepted store.Accepted
	if a.DryRun {
		a.Idempotency = nil
	}
	err := s.writer.writeFirst(ctx, "accept "+string(a.Action.Name), func(u *unit) error {
		var err error
		accepted, err = u.accept(a)
		return takeBack(a.DryRun, err)
	})
	return accepted, passed(err)
}

func (u *unit) accept(a store.Acceptance) (store.Accepted, error) {
	if earlier, err := u.earlier(a.Idempotency); err != nil || earlier != nil {
		return u.repeat(earlier, err)
	}
	instance, others, err := u.instanceFor(a)
	if err != nil {
		return store.Accepted{}, err
	}
	unfinished, err := u.concerning(instance)
	if err != nil {
		return store.Accepted{}, err
	}
	deletes := a.Action.Admission == action.AdmitDelete
	if deletion := deletionAmong(unfinished); deletion != nil && deletes {
		return u.repeat(deletion, u.remember(a.Idempotency, deletion.ID))
	}
	if err := refuseFenced(a, instance, others); err != nil {
		return store.Accepted{}, err
	}
	if deletes {
		if err := refuseTurning(instance, unfinished); err != nil {
			return store.Accepted{}, err
		}
	}
	if err := admit(a, instance, unfinished, others); err != nil {
		return store.Accepted{}, err
	}
	var members []*locked
	if a.Action.WholeSet {
		if members, err = u.membersFor(a, instance, others); err != nil {
			return store.Accepted{}, err
		}
	}
	if err := u.takeQuota(instance.ProjectID, a.Quota, a.QuotaLimits); err != nil {
		return store.Accepted{}, err
	}
	if deletes {
		if unfinished, err = u.stopAll(unfinished); err != nil {
			return store.Accepted{}, err
		}
	}
	return u.enter(a, instance, members, len(unfinished) == 0)
}

// instanceFor is the locked row that the acceptance is about, or a new one that is not yet written, and the others of its
// set where they count.
func (u *unit) instanceFor(a store.Acceptance) (instance *locked, others []*locked, err error) {
	switch {
	case a.New != nil:
		row, err := newInstanceRow(*a.New, u.now)
		if err != nil {
			return nil, nil, err
		}
		instance = &locked{instanceRow: row, unit: u}
		if row.ReplicaOf == "" {
			return instance, nil, nil
		}
		source, err := u.lock(row.ReplicaOf)
		if err != nil {
			return nil, nil, err
		}
		return instance, []*locked{source}, visible(source, a.ProjectID)
	case a.WithSet || a.Action.WholeSet || a.Action.Admission == action.AdmitDelete:
		instance, others, err = u.lockSet(a.InstanceID)
	default:
		instance, err = u.lock(a.InstanceID)
	}
	if err != nil {
		return nil, nil, err
	}
	return instance, others, visible(instance, a.ProjectID)
}

// visible says whether the instance exists for the project; an empty project sees all.
func visible(instance *locked, projectID string) error {
	if instance.Deleted != nil || projectID != "" && instance.ProjectID != projectID {
		return store.ErrNotFound
	}
	return nil
}

// refuseFenced refuses what is asked of an ejected source, or of a new replica's source that is one, before anybody judges
// a state that will never change again.
func refuseFenced(a store.Acceptance, instance *locked, others []*locked) error {
	concerned := instance
	if a.New != nil && len(others) > 0 {
		concerned = others[0]
	}
	if concerned.Fenced && a.Action.Admission != action.AdmitDelete {
		return store.IsFenced(concerned.ID)
	}
	return nil
}

// refuseTurning refuses to delete an instance while roles change in its set, which would be left half turned.
func refuseTurning(instance *locked, unfinished []taskRow) error {
	for i := range unfinished {
		if a, _ := action.Lookup(unfinished[i].Action); a.WholeSet {
			shown, err := unfinished[i].task()
			return errors.Join(store.SetTurning(instance.ID, shown), err)
		}
	}
	return nil
}

func admit(a store.Acceptance, instance *locked, unfinished []taskRow, others []*locked) error {
	if a.Admit == nil {
		return nil
	}
	seen, err := scene(instance, unfinished, others)
	if err != nil {
		return err
	}
	return a.Admit(seen)
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
func (u *unit) enter(a store.Acceptance, instance *locked, members []*locked, due bool) (store.Accepted, error) {
	before := lasting(instance.TaskStatus)
	instance.Name = cmp.Or(a.Rename, instance.Name)
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
	} else if err := task.setQuota(a.Quota); err != nil {
		return store.Accepted{}, err
	}
	if err := errors.Join(u.tellTask(task), save()); err != nil {
		return store.Accepted{}, err
	}
	if err := tasks.create(u.db, task); err != nil {
		return store.Accepted{}, err
	}
	if err := u.hold(task, members, a.Action.TaskStatus); err != nil {
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
