package server

import (
	"context"

	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
)

// StopInstance stops an instance's database, and answers when that is done.
func (s *Server) StopInstance(
	ctx context.Context, request *mgmtv1.StopInstanceRequest,
) (*mgmtv1.StopInstanceResponse, error) {
	accepted, err := s.accept(ctx, change{instanceID: request.GetInstanceId(), request: request, command: &commandv1.Command{
		Action: &commandv1.Command_StopInstance{StopInstance: &commandv1.StopInstance{}},
	}})
	if err != nil {
		return nil, err
	}
	if !accepted.dryRun {
		if accepted.Task, err = s.await(ctx, accepted.Task); err != nil {
			return nil, err
		}
	}
	task, plan, err := s.told(ctx, accepted)
	if err != nil {
		return nil, err
	}
	return &mgmtv1.StopInstanceResponse{Task: task, Plan: plan}, nil
}
