package server

import (
	"context"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// DismissReplica takes back what AdmitReplica gave.
func (s *Server) DismissReplica(
	ctx context.Context, request *guestagentv1.DismissReplicaRequest,
) (*guestagentv1.DismissReplicaResponse, error) {
	if err := s.Instance.Dismiss(ctx, request.GetReplicaInstanceId()); err != nil {
		return nil, err
	}
	return &guestagentv1.DismissReplicaResponse{}, nil
}
