package server

import (
	"context"

	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// GetTask shows a task with its steps.
func (s *Server) GetTask(ctx context.Context, request *taskv1.GetTaskRequest) (*taskv1.GetTaskResponse, error) {
	id := request.GetTaskId()
	if err := validID(id); err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	task, err := s.Store.Task(ctx, scope(caller), id)
	if err != nil {
		return nil, named(id, err)
	}
	if err := s.Policy.Check(caller, "task:show", task.ProjectID); err != nil {
		return nil, err
	}
	return &taskv1.GetTaskResponse{Task: store.TaskProto(task)}, nil
}
