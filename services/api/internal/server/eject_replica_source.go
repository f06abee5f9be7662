package server

import (
	"context"

	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
)

// EjectReplicaSource accepts that a dead source is replaced by its most advanced replica.
func (s *Server) EjectReplicaSource(
	ctx context.Context, request *instancev1.EjectReplicaSourceRequest,
) (*instancev1.EjectReplicaSourceResponse, error) {
	task, plan, err := s.order(ctx, change{instanceID: request.GetInstanceId(), request: request, command: &commandv1.Command{
		Action: &commandv1.Command_EjectReplicaSource{EjectReplicaSource: &commandv1.EjectReplicaSource{}},
	}})
	if err != nil {
		return nil, err
	}
	return &instancev1.EjectReplicaSourceResponse{Task: task, Plan: plan}, nil
}
