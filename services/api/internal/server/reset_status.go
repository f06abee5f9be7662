package server

import (
	"context"

	"google.golang.org/protobuf/proto"

	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// ResetStatus ends whatever runs on an instance and forgets what its guest last said. Its owner may do it only on the way
// to a deletion.
func (s *Server) ResetStatus(
	ctx context.Context, request *instancev1.ResetStatusRequest,
) (*instancev1.ResetStatusResponse, error) {
	rule := "instance:reset_status"
	if request.GetForceDelete() != nil {
		rule = "instance:force_delete"
	}
	plan, err := s.reset(ctx, rule, "reset_status", request.GetInstanceId(), request, true)
	if err != nil {
		return nil, err
	}
	return &instancev1.ResetStatusResponse{Plan: plan}, nil
}

// reset answers with the plan of a dry run, or with nothing.
func (s *Server) reset(
	ctx context.Context, rule, doing, instanceID string, request proto.Message, unknown bool,
) (*taskv1.Plan, error) {
	caller, err := s.authoriseChange(ctx, rule, instanceID)
	if err != nil {
		return nil, err
	}
	key, err := s.idempotency(ctx, doing, request)
	if err != nil {
		return nil, err
	}
	dry := dryRun(ctx)
	_, err = s.Store.ResetStatus(ctx, store.Change{
		ProjectID: scope(caller), InstanceID: instanceID, Idempotency: key, DryRun: dry,
	}, unknown)
	if err != nil || !dry {
		return nil, named(instanceID, err)
	}
	return atOnce(doing, instanceID), nil
}
