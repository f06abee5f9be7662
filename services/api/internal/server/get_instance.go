package server

import (
	"context"

	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// GetInstance shows an instance with what its guest last said.
func (s *Server) GetInstance(
	ctx context.Context, request *instancev1.GetInstanceRequest,
) (*instancev1.GetInstanceResponse, error) {
	instance, err := s.findInstance(ctx, callerOf(ctx), request.GetInstanceId())
	if err != nil {
		return nil, err
	}
	if err := s.Policy.Check(callerOf(ctx), "instance:show", instance.ProjectID); err != nil {
		return nil, err
	}
	writer, err := s.writer(ctx)
	if err != nil {
		return nil, err
	}
	replicas, err := s.Store.Replicas(ctx, []string{instance.ID})
	if err != nil {
		return nil, err
	}
	return &instancev1.GetInstanceResponse{Instance: writer.Whole(instance, replicas[instance.ID])}, nil
}

func (s *Server) findInstance(ctx context.Context, caller identity.Caller, id string) (store.Instance, error) {
	if err := validID(id); err != nil {
		return store.Instance{}, err
	}
	instance, err := s.Store.Instance(ctx, scope(caller), id)
	return instance, named(id, err)
}
