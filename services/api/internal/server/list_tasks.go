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
	filter, err := taskFilter(request)
	if err != nil {
		return nil, err
	}
	filter.ProjectID = caller.ProjectID
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

func taskFilter(request *taskv1.ListTasksRequest) (store.TaskFilter, error) {
	filter := store.TaskFilter{InstanceID: request.GetInstanceId()}
	if state := store.TaskState(strings.ToUpper(request.GetStatus())); state != "" {
		if !slices.Contains(taskStates, state) {
			return filter, errs.New(errs.Invalid, "STATUS", "The status '%s' must be one of %v.", state, taskStates)
		}
		filter.States = []store.TaskState{state}
	}
	if name := action.Name(request.GetAction()); name != "" {
		if _, known := action.Lookup(name); !known {
			return filter, errs.New(errs.Invalid, "ACTION", "The action '%s' must be one of %v.", name, action.Names())
		}
		filter.Actions = []action.Name{name}
	}
	return filter, nil
}
