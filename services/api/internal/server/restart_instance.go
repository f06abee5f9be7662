package server

import (
	"context"

	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
)

// RestartInstance accepts the restart of an instance's database.
func (s *Server) RestartInstance(
	ctx context.Context, request *instancev1.RestartInstanceRequest,
) (*instancev1.RestartInstanceResponse, error) {
	task, plan, err := s.order(ctx, change{instanceID: request.GetInstanceId(), request: request, command: &commandv1.Command{
		Action: &commandv1.Command_RestartInstance{RestartInstance: &commandv1.RestartInstance{}},
	}})
	if err != nil {
		return nil, err
	}
	return &instancev1.RestartInstanceResponse{Task: task, Plan: plan}, nil
}
