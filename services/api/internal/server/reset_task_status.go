package server

import (
	"context"

	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
)

// ResetTaskStatus ends whatever runs on an instance.
func (s *Server) ResetTaskStatus(
	ctx context.Context, request *mgmtv1.ResetTaskStatusRequest,
) (*mgmtv1.ResetTaskStatusResponse, error) {
	plan, err := s.reset(ctx, ruleManagedAction, "reset_task_status", request.GetInstanceId(), request, false)
	if err != nil {
		return nil, err
	}
	return &mgmtv1.ResetTaskStatusResponse{Plan: plan}, nil
}
