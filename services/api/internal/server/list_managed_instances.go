package server

import (
	"context"
	"strconv"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// ListManagedInstances lists the instances of all projects, those changed last first. Its marker is an offset.
func (s *Server) ListManagedInstances(
	ctx context.Context, request *mgmtv1.ListManagedInstancesRequest,
) (*mgmtv1.ListManagedInstancesResponse, error) {
	if _, err := s.authoriseManagement(ctx, ruleManagedIndex); err != nil {
		return nil, err
	}
	filter := store.InstanceFilter{ProjectID: request.GetFilterProjectId(), Deleted: flagOf(request.GetDeleted())}
	page, err := offsetPage(request.GetLimit(), request.GetMarker(), s.Settings.InstancesPage)
	if err != nil {
		return nil, err
	}
	instances, more, err := s.Store.ListAllInstances(ctx, filter, page)
	if err != nil {
		return nil, err
	}
	replicas, err := s.Store.Replicas(ctx, ids(instances))
	if err != nil {
		return nil, err
	}
	writer, err := s.writer(ctx)
	if err != nil {
		return nil, err
	}
	response := &mgmtv1.ListManagedInstancesResponse{}
	for _, instance := range instances {
		response.Instances = append(response.Instances, writer.Managed(instance, replicas[instance.ID]))
	}
	if more {
		response.NextMarker = strconv.Itoa(page.Offset + len(instances))
	}
	return response, nil
}

// flagOf is a flag of a query: nil when it was not given. Clients send Python's True; what is not true is false.
func flagOf(given string) *bool {
	if given == "" {
		return nil
	}
	flag := strings.EqualFold(given, "true")
	return &flag
}

// offsetPage reads limit and marker where the marker is an offset.
func offsetPage(limit, marker string, most int) (store.Page, error) {
	page, err := pageOf(limit, "", most)
	if err != nil || marker == "" {
		return page, err
	}
	if page.Offset, err = strconv.Atoi(marker); err != nil || page.Offset < 0 {
		return page, errs.New(errs.Invalid, "MARKER", "The marker '%s' must be an integer of at least 0.", marker)
	}
	return page, nil
}
