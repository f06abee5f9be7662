package server

import (
	"context"

	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
)

// GetManagedInstance shows an instance of any project, a deleted one too if that is asked for.
func (s *Server) GetManagedInstance(
	ctx context.Context, request *mgmtv1.GetManagedInstanceRequest,
) (*mgmtv1.GetManagedInstanceResponse, error) {
	if _, err := s.authoriseManagement(ctx, ruleManagedShow); err != nil {
		return nil, err
	}
	id := request.GetInstanceId()
	if err := validID(id); err != nil {
		return nil, err
	}
	instance, err := s.Store.InstanceEver(ctx, id)
	if err != nil {
		return nil, named(id, err)
	}
	withDeleted := flagOf(request.GetDeleted())
	if instance.Deleted != nil && (withDeleted == nil || !*withDeleted) {
		return nil, notFound(id)
	}
	replicas, err := s.Store.Replicas(ctx, []string{id})
	if err != nil {
		return nil, err
	}
	writer, err := s.writer(ctx)
	if err != nil {
		return nil, err
	}
	return &mgmtv1.GetManagedInstanceResponse{Instance: writer.ManagedWhole(instance, replicas[id])}, nil
}
