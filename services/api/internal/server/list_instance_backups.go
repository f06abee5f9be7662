package server

import (
	"context"

	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
)

// ListInstanceBackups lists the backups of an instance. None can be made, so there are none.
func (s *Server) ListInstanceBackups(
	ctx context.Context, request *instancev1.ListInstanceBackupsRequest,
) (*instancev1.ListInstanceBackupsResponse, error) {
	caller := callerOf(ctx)
	instance, err := s.findInstance(ctx, caller, request.GetInstanceId())
	if err != nil {
		return nil, err
	}
	if err := s.Policy.Check(caller, "instance:backups", instance.ProjectID); err != nil {
		return nil, err
	}
	if _, err := offsetPage(request.GetLimit(), request.GetMarker(), s.Settings.InstancesPage); err != nil {
		return nil, err
	}
	return &instancev1.ListInstanceBackupsResponse{}, nil
}
