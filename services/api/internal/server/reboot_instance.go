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
	accepted, err := s.accept(ctx, request.GetInstanceId(), request, &commandv1.Command{
		Action: &commandv1.Command_RebootInstance{RebootInstance: &commandv1.RebootInstance{}},
	})
	if err != nil {
		return nil, err
	}
	task, plan, err := s.told(ctx, accepted)
	if err != nil {
		return nil, err
	}
	return &mgmtv1.RebootInstanceResponse{Task: task, Plan: plan}, nil
}
