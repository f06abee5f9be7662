package server

import (
	"context"
	"errors"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// awaitLimit bounds the calls that answer when their work is done: Trove's agent_call_high_timeout.
const awaitLimit = 180 * time.Second

// await waits for a task's end and fails as it failed. Trove answers 400 whatever the guest says, and also when it says
// nothing in time; the task goes on then.
func (s *Server) await(ctx context.Context, task store.Task) (store.Task, error) {
	ctx, cancel := context.WithTimeout(ctx, awaitLimit)
	defer cancel()
	err := s.Events.Await(ctx, task.ProjectID, task.InstanceID, func() (bool, error) {
		now, err := s.Store.Task(ctx, task.ProjectID, task.ID)
		if err == nil {
			task = now
		}
		return task.State.Ended(), err
	})
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return task, errs.New(errs.Invalid, "GUEST_TIMEOUT", "Timeout trying to connect to the Guest Agent.")
	case err != nil:
		return task, err
	case task.State == store.TaskFailed && task.Error != nil:
		return task, errs.New(errs.Invalid, "GUEST_ERROR",
			"An error occurred communicating with the guest: %s", task.Error.Message)
	case task.State != store.TaskSucceeded:
		return task, errs.New(errs.Invalid, "TASK_ENDED", "Task %s has ended as %s.", task.ID, task.State)
	}
	return task, nil
}
