package server

import (
	"context"

	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
)

// DeleteInstance accepts the deletion of an instance. While one runs, another call joins it.
func (s *Server) DeleteInstance(
	ctx context.Context, request *instancev1.DeleteInstanceRequest,
) (*instancev1.DeleteInstanceResponse, error) {
	task, plan, err := s.order(ctx, change{instanceID: request.GetInstanceId(), request: request, command: &commandv1.Command{
		Action: &commandv1.Command_DeleteInstance{DeleteInstance: &commandv1.DeleteInstance{}},
	}})
	if err != nil {
		return nil, err
	}
	return &instancev1.DeleteInstanceResponse{Task: task, Plan: plan}, nil
}
