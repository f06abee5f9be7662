package server

import (
	"context"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// AwaitPosition waits until everything up to a position has been applied.
func (s *Server) AwaitPosition(
	ctx context.Context, request *guestagentv1.AwaitPositionRequest,
) (*guestagentv1.AwaitPositionResponse, error) {
	if err := s.Instance.AwaitPosition(ctx, request.GetPosition()); err != nil {
		return nil, err
	}
	now, err := s.replication(ctx)
	if err != nil {
		return nil, err
	}
	return &guestagentv1.AwaitPositionResponse{Replication: now}, nil
}
