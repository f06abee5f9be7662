package server

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// CancelTask asks a task to stop at its next step border and to undo what it did.
func (s *Server) CancelTask(ctx context.Context, request *taskv1.CancelTaskRequest) (*taskv1.CancelTaskResponse, error) {
	id := request.GetTaskId()
	if err := validID(id); err != nil {
		return nil, err
	}
	if dryRun(ctx) {
		return nil, errs.New(errs.Invalid, "NO_DRY_RUN", "The cancellation of a task has no dry run.")
	}
	key, err := s.idempotency(ctx, "cancel_task", request)
	if err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	task, err := s.Store.CancelTask(ctx, scope(caller), id, key, func(task store.Task) error {
		if err := s.Policy.Check(caller, "task:cancel", task.ProjectID); err != nil {
			return err
		}
		return cancellable(task)
	})
	if err != nil {
		return nil, named(id, err)
	}
	return &taskv1.CancelTaskResponse{Task: store.TaskProto(task)}, nil
}

// cancellable refuses a task that has ended, and one whose running step must come to its end.
func cancellable(task store.Task) error {
	if task.State.Ended() {
		return errs.New(errs.WrongState, "TASK_ENDED", "Task %s cannot be cancelled: it has ended as %s.", task.ID, task.State)
	}
	for _, step := range task.Steps {
		running := step.Status == journalv1.StepStatus_STEP_STATUS_RUNNING
		if running && !step.Cancellable {
			return errs.New(errs.WrongState, "STEP_NOT_CANCELLABLE",
				"Task %s cannot be cancelled during its step '%s'.", task.ID, step.Name)
		}
	}
	return nil
}
