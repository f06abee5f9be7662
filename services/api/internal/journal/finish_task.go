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
		Fault:      fault(request.GetFault()),
		Members:    make(map[string]store.MemberEnd, len(request.GetMembers())),
	}
	patches := make(map[string]*journalv1.InstancePatch, len(request.GetMembers()))
	for id, end := range request.GetMembers() {
		patches[id] = end.GetInstance()
		finish.Members[id] = store.MemberEnd{
			Patch: end.GetInstance(), TaskStatus: status.Task(end.GetTaskStatus()), Fault: fault(end.GetFault()),
		}
	}
	if request.GetLast() != nil {
		last, err := record(request.GetLast())
		if err != nil {
			return nil, err
		}
		finish.Last = &last
	}
	task, err := s.Store.FinishTask(ctx, finish)
	if err != nil {
		return nil, err
	}
	if finish.Deleted || movesGuest(request.GetInstance(), patches) ||
		movesGuest(request.GetLast().GetInstance(), request.GetLast().GetMembers()) {
		s.Guests.Ring()
	}
	if !task.State.Ended() {
		return &journalv1.FinishTaskResponse{Stop: task.Stop}, nil
	}
	return &journalv1.FinishTaskResponse{}, nil
}

func fault(f *journalv1.Fault) *store.Fault {
	if f == nil {
		return nil
	}
	return &store.Fault{Message: f.GetMessage(), Details: f.GetDetails()}
}
