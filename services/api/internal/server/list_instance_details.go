package server

import (
	"context"
	"slices"

	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// ListInstanceDetails lists the instances of the caller's project in full.
func (s *Server) ListInstanceDetails(
	ctx context.Context, request *instancev1.ListInstanceDetailsRequest,
) (*instancev1.ListInstanceDetailsResponse, error) {
	instances, next, err := s.instancePage(ctx, "instance:detail", request)
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
	response := &instancev1.ListInstanceDetailsResponse{NextMarker: next}
	for _, instance := range instances {
		response.Instances = append(response.Instances, writer.Detail(instance, replicas[instance.ID]))
	}
	return response, nil
}

// instancePage is a page of the caller's project: cut by id, then shown newest first, as Trove has it.
func (s *Server) instancePage(ctx context.Context, rule string, request interface {
	GetLimit() string
	GetMarker() string
},
) (instances []store.Instance, next string, err error) {
	caller, err := s.authorise(ctx, rule)
	if err != nil {
		return nil, "", err
	}
	page, err := pageOf(request.GetLimit(), request.GetMarker(), s.Settings.InstancesPage)
	if err != nil {
		return nil, "", err
	}
	instances, next, err = s.Store.ListInstances(ctx, caller.ProjectID, page)
	slices.SortStableFunc(instances, func(a, b store.Instance) int { return b.Created.Compare(a.Created) })
	return instances, next, err
}
