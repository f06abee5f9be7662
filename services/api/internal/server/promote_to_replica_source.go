package server

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// PromoteToReplicaSource accepts that a replica becomes the source of its set.
func (s *Server) PromoteToReplicaSource(
	ctx context.Context, request *instancev1.PromoteToReplicaSourceRequest,
) (*instancev1.PromoteToReplicaSourceResponse, error) {
	task, plan, err := s.order(ctx, change{
		instanceID: request.GetInstanceId(), request: request,
		command: &commandv1.Command{Action: &commandv1.Command_PromoteToReplicaSource{
			PromoteToReplicaSource: &commandv1.PromoteToReplicaSource{},
		}},
		first: wantReplica,
	})
	if err != nil {
		return nil, err
	}
	return &instancev1.PromoteToReplicaSourceResponse{Task: task, Plan: plan}, nil
}

func wantReplica(scene store.Scene) error {
	if scene.Instance.ReplicaOf == "" {
		return errs.New(errs.Invalid, "NOT_A_REPLICA", "Instance %s is not a replica.", scene.Instance.ID)
	}
	return nil
}
