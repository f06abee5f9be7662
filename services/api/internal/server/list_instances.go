package server

import (
	"context"

	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
)

// ListInstances lists the instances of the caller's project, for admins too.
func (s *Server) ListInstances(
	ctx context.Context, request *instancev1.ListInstancesRequest,
) (*instancev1.ListInstancesResponse, error) {
	instances, next, err := s.instancePage(ctx, "instance:index", request)
	if err != nil {
		return nil, err
	}
	writer, err := s.writer(ctx)
	if err != nil {
		return nil, err
	}
	replicas, err := s.Store.Replicas(ctx, ids(instances))
	if err != nil {
		return nil, err
	}
	response := &instancev1.ListInstancesResponse{NextMarker: next}
	for _, instance := range instances {
		response.Instances = append(response.Instances, writer.Instance(instance, replicas[instance.ID]))
	}
	return response, nil
}
