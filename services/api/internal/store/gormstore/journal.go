package gormstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/coffer-dbaas/coffer/pkg/action"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// RenewLease prolongs a run's lease.
func (s *Store) RenewLease(ctx context.Context, run store.Run, lease time.Duration) (store.Task, error) {
	return s.inRun(ctx, "renew a lease", run, false, func(u *unit, task *taskRow, _ *locked, _ []*member) error {
		expires := u.now.Add(lease).UnixMicro()
		task.LeaseExpires = &expires
		return u.saveTask(task)
	})
}

// RecordSteps writes steps and what they changed of the instance and of members.
func (s *Store) RecordSteps(ctx context.Context, r store.Record) (store.Task, error) {
	write := func(u *unit, task *taskRow, instance *locked, members []*member) error {
		if err := u.record(task, instance, members, r); err != nil {
			return err
		}
		return u.saveRecorded(task, instance, members, r)
	}
	return s.inRun(ctx, "record steps", r.Run, len(r.Members) > 0, write)
}

// record changes the rows, which the caller saves.
func (u *unit) record(task *taskRow, instance *locked, members []*member, r store.Record) error {
	if err := task.record(r, u.now); err != nil {
		return err
	}
	if r.DropSecrets {
		if err := u.dropSecrets(task.ID); err != nil {
			return err
		}
	}
	return errors.Join(u.patch(task, instance, r.Patch), u.patchMembers(task, members, r.Members))
}

func (u *unit) saveRecorded(task *taskRow, instance *locked, members []*member, r store.Record) error {
	if r.Patch != nil {
		if err := instance.save(); err != nil {
			return err
		}
	}
	for _, m := range members {
		if err := m.save(); err != nil {
			return err
		}
	}
	return errors.Join(u.saveTask(task), u.tellTask(task))
}

// patchMembers changes members, which the caller saves.
func (u *unit) patchMembers(task *taskRow, members []*member, patches map[string]*journalv1.InstancePatch) error {
	for id := range patches {
		if !slices.ContainsFunc(members, func(m *member) bool { return m.ID == id }) {
			return store.NotAMember(id, task.ID)
		}
	}
	for _, m := range members {
		if patch := patches[m.ID]; patch != nil {
			if err := u.patchMember(task, m, patch); err != nil {
				return err
			}
		}
	}
	return nil
}

// inRun runs fn on the locked task of a run that is its newest.
func (s *Store) inRun(
	ctx context.Context, doing string, run store.Run, withMembers bool,
	fn func(*unit, *taskRow, *locked, []*member) error,
) (store.Task, error) {
	var written store.Task
	err := s.writer.write(ctx, doing, func(u *unit) error {
		task, instance, members, err := u.lockRun(run, withMembers)
		if err != nil {
			return err
		}
		if err := fn(u, task, instance, members); err != nil {
			return err
		}
		written, err = task.task()
		return err
	})
	return written, err
}

func (r *taskRow) record(record store.Record, now time.Time) error {
	r.Claims = 0
	r.Progress = record.Progress
	if record.Failure != nil {
		r.setError(record.Failure)
	}
	return errors.Join(r.note(record.Notes), r.merge(record.Steps, now))
}

func (r *taskRow) merge(later []store.Step, now time.Time) error {
	steps, err := r.steps()
	if err != nil {
		return err
	}
	for _, step := range later {
		steps = merge(steps, step, now)
	}
	return r.setSteps(steps)
}

// merge writes a step over the one of its name, or after the others. Its times are the store's: started when it first
// is more than pending, finished whenever it comes to rest.
func merge(steps []store.Step, step store.Step, now time.Time) []store.Step {
	i := slices.IndexFunc(steps, func(s store.Step) bool { return s.Name == step.Name })
	if i < 0 {
		i = len(steps)
		steps = append(steps, store.Step{})
	}
	known := steps[i]
	step.Started, step.Finished = known.Started, nil
	if step.Started == nil && step.Status != journalv1.StepStatus_STEP_STATUS_PENDING {
		step.Started = &now
	}
	switch step.Status {
	case journalv1.StepStatus_STEP_STATUS_SUCCEEDED, journalv1.StepStatus_STEP_STATUS_FAILED,
		journalv1.StepStatus_STEP_STATUS_UNDONE:
		step.Finished = &now
		if known.Status == step.Status && known.Finished != nil {
			step.Finished = known.Finished
		}
	default:
	}
	steps[i] = step
	return steps
}

// FinishTask ends the run's task.
func (s *Store) FinishTask(ctx context.Context, f store.Finish) (store.Task, error) {
	end := func(u *unit, task *taskRow, instance *locked, members []*member) error {
		if f.Last != nil {
			if err := u.record(task, instance, members, *f.Last); err != nil {
				return err
			}
			if task.Stop != 0 {
				return u.saveRecorded(task, instance, members, *f.Last)
			}
		}
		if err := u.patch(task, instance, f.Patch); err != nil {
			return err
		}
		instance.TaskStatus = f.TaskStatus
		// A fault tells of the last task that ended: success takes it away.
		if f.Fault != nil || f.State == store.TaskSucceeded {
			instance.setFault(f.Fault, u.now)
		}
		if f.State == store.TaskSucceeded && task.admission() == action.AdmitNew {
			instance.EverActive = true
		}
		if err := u.settleMembers(task, members, f.Members); err != nil {
			return err
		}
		if err := u.end(task, f.State, f.Failure); err != nil {
			return err
		}
		for _, m := range members {
			if err := u.letGo(m, f.Members[m.ID].TaskStatus); err != nil {
				return err
			}
		}
		if f.Deleted {
			return u.bury(instance)
		}
		return u.leave(instance)
	}
	return s.inRun(ctx, "finish a task", f.Run, true, end)
}

// settleMembers changes members as the task's end says; letting go of them saves them.
func (u *unit) settleMembers(task *taskRow, members []*member, ends map[string]store.MemberEnd) error {
	patches := make(map[string]*journalv1.InstancePatch, len(ends))
	for id, end := range ends {
		patches[id] = end.Patch
	}
	for _, m := range members {
		if fault := ends[m.ID].Fault; fault != nil {
			m.setFault(fault, u.now)
		}
	}
	return u.patchMembers(task, members, patches)
}

// bury marks the instance deleted, gives back its quota and ends what still waits for it.
func (u *unit) bury(instance *locked) error {
	waiting, err := u.unfinished(instance.ID)
	if err != nil {
		return err
	}
	for i := range waiting {
		if err := u.end(&waiting[i], store.TaskCancelled, nil); err != nil {
			return err
		}
	}
	if instance.Deleted == nil {
		deleted := u.now.UnixMicro()
		instance.Deleted = &deleted
		if err := u.giveBack(instance.ProjectID, instance.holds()); err != nil {
			return err
		}
	}
	instance.Updated = u.now.UnixMicro()
	if err := u.db.Where("instance_id = ?", instance.ID).Delete(&secretRow{}).Error; err != nil {
		return err
	}
	return instance.save()
}

// Secrets are the sealed secrets of the run's task.
func (s *Store) Secrets(ctx context.Context, run store.Run) ([]byte, error) {
	if _, err := s.CheckRun(ctx, run); err != nil {
		return nil, err
	}
	var row secretRow
	err := s.reading(ctx).Where("task_id = ?", run.TaskID).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	return row.Sealed, translate("read secrets", err)
}

// CheckRun says whether the run is the task's newest and unfinished.
func (s *Store) CheckRun(ctx context.Context, run store.Run) (store.Task, error) {
	var row taskRow
	err := tasks.take(s.reading(ctx), &row, "id = ?", run.TaskID)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return store.Task{}, store.ErrSuperseded
	}
	if err != nil {
		return store.Task{}, translate("check a run", err)
	}
	if err := row.held(run); err != nil {
		return store.Task{}, err
	}
	return row.task()
}
