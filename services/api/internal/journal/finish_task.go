package journal

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

var outcomes = map[journalv1.TaskOutcome]store.TaskState{
	journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED: store.TaskSucceeded,
	journalv1.TaskOutcome_TASK_OUTCOME_FAILED:    store.TaskFailed,
	journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED: store.TaskCancelled,
}

// FinishTask ends a run's task.
func (s *Server) FinishTask(
	ctx context.Context, request *journalv1.FinishTaskRequest,
) (*journalv1.FinishTaskResponse, error) {
	state, known := outcomes[request.GetOutcome()]
	if !known {
		return nil, errs.New(errs.Invalid, "OUTCOME", "A task ends as succeeded, failed or cancelled.")
	}
	finish := store.Finish{
		Run:        run(request.GetRun()),
		State:      state,
		Failure:    failure(request.GetFailure()),
		Patch:      request.GetInstance(),
		TaskStatus: status.Task(request.GetTaskStatus()),
		Deleted:    request.GetDeleted(),
	}
	if fault := request.GetFault(); fault != nil {
		finish.Fault = &store.Fault{Message: fault.GetMessage(), Details: fault.GetDetails()}
	}
	if err := s.Store.FinishTask(ctx, finish); err != nil {
		return nil, err
	}
	if patch := request.GetInstance(); finish.Deleted || patch != nil && patch.GuestAddress != nil {
		s.Guests.Ring()
	}
	return &journalv1.FinishTaskResponse{}, nil
}
