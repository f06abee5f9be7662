package server

import (
	"context"

	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
)

// RebootInstance accepts the reboot of an instance's server.
func (s *Server) RebootInstance(
	ctx context.Context, request *mgmtv1.RebootInstanceRequest,
) (*mgmtv1.RebootInstanceResponse, error) {
	task, plan, err := s.order(ctx, change{instanceID: request.GetInstanceId(), request: request, command: &commandv1.Command{
		Action: &commandv1.Command_RebootInstance{RebootInstance: &commandv1.RebootInstance{}},
	}})
	if err != nil {
		return nil, err
	}
	return &mgmtv1.RebootInstanceResponse{Task: task, Plan: plan}, nil
}
