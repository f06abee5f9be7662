package journal

import (
	"context"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// FindInstances sorts the instances that it knows, for whoever looks for what nobody owns.
func (s *Server) FindInstances(
	ctx context.Context, request *journalv1.FindInstancesRequest,
) (*journalv1.FindInstancesResponse, error) {
	living, deleted, err := s.Store.FindInstances(ctx, request.GetInstanceIds())
	if err != nil {
		return nil, err
	}
	return &journalv1.FindInstancesResponse{Living: living, Deleted: deleted}, nil
}
