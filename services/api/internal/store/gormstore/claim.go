package gormstore

import (
	"cmp"
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// ClaimTask takes a task for a worker.
func (s *Store) ClaimTask(ctx context.Context, b store.Bid) (store.Claim, error) {
	var claim store.Claim
	err := s.writer.write(ctx, "claim a task", func(u *unit) error {
		var err error
		claim, err = u.claim(b)
		return err
	})
	return claim, err
}

func (u *unit) claim(b store.Bid) (store.Claim, error) {
	gone := store.Claim{Outcome: journalv1.ClaimOutcome_CLAIM_OUTCOME_GONE}
	task, instance, members, err := u.lockTask(b.TaskID, true)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return gone, nil
	}
	if err != nil {
		return store.Claim{}, err
	}
	if task.State.Ended() {
		return gone, nil
	}
	busy, err := u.busy(task, instance, b.Worker)
	if err != nil {
		return store.Claim{}, err
	}
	if busy {
		return store.Claim{Outcome: journalv1.ClaimOutcome_CLAIM_OUTCOME_BUSY}, nil
	}
	if task.Claims >= b.MaxClaims {
		return gone, u.giveUp(task, instance, members)
	}
	return u.grant(b, task, instance, members)
}

// busy says whether the task must wait: another worker's lease on it is alive, another task of the instance runs or came
// first, or the instance is held as a member of its set.
func (u *unit) busy(task *taskRow, instance *locked, worker string) (bool, error) {
	if instance.HeldBy != "" || task.leased(u.now) && task.Worker != worker {
		return true, nil
	}
	unfinished, err := u.unfinished(task.InstanceID)
	if err != nil {
		return false, err
	}
	for i := range unfinished {
		other := &unfinished[i]
		if other.ID != task.ID && (other.Ordinal < task.Ordinal || other.leased(u.now)) {
			return true, nil
		}
	}
	return false, nil
}

func (u *unit) grant(b store.Bid, task *taskRow, instance *locked, members []*member) (store.Claim, error) {
	former, err := task.steps()
	if err != nil {
		return store.Claim{}, err
	}
	if len(former) == 0 && task.Stop == 0 {
		if err := task.merge(b.Plan, u.now); err != nil {
			return store.Claim{}, err
		}
	}
	for _, m := range members {
		instance.Epoch = max(instance.Epoch, m.Epoch)
	}
	instance.Epoch++
	for _, m := range members {
		m.Epoch = instance.Epoch
		if err := m.save(); err != nil {
			return store.Claim{}, err
		}
	}
	begins := task.State == store.TaskQueued
	task.State = store.TaskRunning
	task.Epoch = instance.Epoch
	task.Worker = b.Worker
	task.Claims++
	expires := u.now.Add(b.Lease).UnixMicro()
	task.LeaseExpires = &expires
	if begins {
		started := u.now.UnixMicro()
		task.Started = &started
		if err := u.tellTask(task); err != nil {
			return store.Claim{}, err
		}
	}
	if err := errors.Join(u.saveTask(task), instance.save()); err != nil {
		return store.Claim{}, err
	}
	claimed, err := accepted(task, instance)
	if err != nil {
		return store.Claim{}, err
	}
	shown, err := shownMembers(members)
	return store.Claim{
		Outcome: journalv1.ClaimOutcome_CLAIM_OUTCOME_CLAIMED, Task: claimed.Task, Instance: claimed.Instance, Members: shown,
		Former: former,
	}, err
}

// giveUp fails a task whose workers die or hang before they record anything.
func (u *unit) giveUp(task *taskRow, instance *locked, members []*member) error {
	failure := &store.TaskError{
		Code: "WORKER_LOST", Step: task.runningStep(),
		Message: "Every worker that took the task was lost before it recorded progress.",
	}
	fault := &store.Fault{
		Message: "The " + string(task.Action) + " task failed: " + failure.Message + " See the logs of the taskmanagers.",
	}
	instance.TaskStatus = lostStatus(task.Action)
	instance.setFault(fault, u.now)
	if err := u.end(task, store.TaskFailed, failure); err != nil {
		return err
	}
	for _, m := range members {
		m.setFault(fault, u.now)
		if err := u.letGo(m, lostStatus(task.Action)); err != nil {
			return err
		}
	}
	return u.leave(instance)
}

func (r *taskRow) runningStep() string {
	steps, err := r.steps()
	if err != nil {
		return ""
	}
	for _, step := range steps {
		if step.Status == journalv1.StepStatus_STEP_STATUS_RUNNING || step.Status == journalv1.StepStatus_STEP_STATUS_UNDOING {
			return step.Name
		}
	}
	return ""
}

// lostStatuses are the task statuses that stay when a task ends without a run that could say more; where there is none,
// it is NONE.
var lostStatuses = map[action.Name]status.Task{
	action.CreateInstance:         status.TaskBuildingErrorServer,
	action.CreateReplica:          status.TaskBuildingErrorReplica,
	action.DeleteInstance:         status.TaskDeletingError,
	action.PromoteToReplicaSource: status.TaskPromotionError,
	action.EjectReplicaSource:     status.TaskEjectionError,
	action.UpdateAccess:           status.TaskUpdatingErrorAccess,
}

func lostStatus(name action.Name) status.Task { return cmp.Or(lostStatuses[name], status.TaskNone) }
