package server

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

var taskStates = []store.TaskState{
	store.TaskQueued, store.TaskRunning, store.TaskSucceeded, store.TaskFailed, store.TaskCancelled,
}

// ListTasks lists the tasks of the caller's project, newest first.
func (s *Server) ListTasks(ctx context.Context, request *taskv1.ListTasksRequest) (*taskv1.ListTasksResponse, error) {
	caller, err := s.authorise(ctx, "task:index")
	if err != nil {
		return nil, err
	}
	filter := store.TaskFilter{
		ProjectID:  caller.ProjectID,
		InstanceID: request.GetInstanceId(),
		State:      store.TaskState(strings.ToUpper(request.GetStatus())),
		Action:     action.Name(request.GetAction()),
	}
	if err := checkFilter(filter); err != nil {
		return nil, err
	}
	page, err := pageOf(request.GetLimit(), request.GetMarker(), s.Settings.TasksPage)
	if err != nil {
		return nil, err
	}
	tasks, next, err := s.Store.ListTasks(ctx, filter, page)
	if errors.Is(err, store.ErrNotFound) {
		return nil, errs.New(errs.Invalid, "MARKER", "The marker '%s' is no task of this project.", page.Marker)
	}
	if err != nil {
		return nil, err
	}
	response := &taskv1.ListTasksResponse{NextMarker: next}
	for _, task := range tasks {
		response.Tasks = append(response.Tasks, store.TaskProto(task))
	}
	return response, nil
}

func checkFilter(filter store.TaskFilter) error {
	if filter.State != "" && !slices.Contains(taskStates, filter.State) {
		return errs.New(errs.Invalid, "STATUS", "The status '%s' must be one of %v.", filter.State, taskStates)
	}
	if _, known := action.Lookup(filter.Action); filter.Action != "" && !known {
		return errs.New(errs.Invalid, "ACTION", "The action '%s' must be one of %v.", filter.Action, action.Names())
	}
	return nil
}
