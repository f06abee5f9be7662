package server

import (
	"context"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/newinstance"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// UpdateInstance is Trove's PUT: another name, and at most one of configuration, replica_of, datastore_version, access.
func (s *Server) UpdateInstance(
	ctx context.Context, request *instancev1.UpdateInstanceRequest,
) (*instancev1.UpdateInstanceResponse, error) {
	task, plan, err := s.update(ctx, "instance:update", request.GetInstanceId(), request, request.GetInstance())
	if err != nil {
		return nil, err
	}
	return &instancev1.UpdateInstanceResponse{Task: task, Plan: plan}, nil
}

// EditInstance is Trove's PATCH: the same without access.
func (s *Server) EditInstance(
	ctx context.Context, request *instancev1.EditInstanceRequest,
) (*instancev1.EditInstanceResponse, error) {
	if request.GetInstance().GetAccess() != nil {
		return nil, errs.New(errs.Invalid, "VALIDATION",
			"Validation error: instance Additional properties are not allowed ('access' was unexpected)")
	}
	task, plan, err := s.update(ctx, "instance:edit", request.GetInstanceId(), request, request.GetInstance())
	if err != nil {
		return nil, err
	}
	return &instancev1.EditInstanceResponse{Task: task, Plan: plan}, nil
}

func (s *Server) update(
	ctx context.Context, rule, instanceID string, request proto.Message, body *instancev1.InstanceUpdate,
) (*taskv1.Task, *taskv1.Plan, error) {
	name, err := checkUpdate(body)
	if err != nil {
		return nil, nil, err
	}
	wanted := change{instanceID: instanceID, request: request, rule: rule, rename: name}
	switch {
	case body.GetReplicaOf() != nil, body.GetSlaveOf() != nil:
		return s.detachReplica(ctx, wanted)
	case body.GetDatastoreVersion() != nil:
		return s.upgrade(ctx, wanted, body.GetDatastoreVersion())
	case body.GetAccess() != nil:
		return s.updateAccess(ctx, wanted, body.GetAccess())
	case name != "":
		return s.rename(ctx, wanted, body.GetConfiguration())
	}
	return s.detachConfiguration(ctx, wanted, body.GetConfiguration())
}

// checkUpdate answers with the new name, empty when there is none.
func checkUpdate(body *instancev1.InstanceUpdate) (string, error) {
	if body == nil {
		return "", errs.New(errs.Invalid, "VALIDATION", "Validation error: 'instance' is a required property")
	}
	others := 0
	for _, value := range []*structpb.Value{
		body.GetConfiguration(), body.GetReplicaOf(), body.GetSlaveOf(), body.GetDatastoreVersion(), body.GetAccess(),
	} {
		if value != nil {
			others++
		}
	}
	if others > 1 {
		return "", errs.New(errs.Invalid, "ONE_ATTRIBUTE", "Only one attribute (except 'name') is allowed to update.")
	}
	if body.GetName() == nil {
		return "", nil
	}
	name, isText := body.GetName().GetKind().(*structpb.Value_StringValue)
	if !isText {
		return "", errs.New(errs.Invalid, "VALIDATION", "Validation error: instance['name'] is not of type 'string'")
	}
	return name.StringValue, newinstance.Name(name.StringValue)
}

// rename is done at once, whatever state the instance is in.
func (s *Server) rename(
	ctx context.Context, c change, configuration *structpb.Value,
) (*taskv1.Task, *taskv1.Plan, error) {
	caller, err := s.authoriseChange(ctx, c.rule, c.instanceID)
	if err != nil {
		return nil, nil, err
	}
	key, err := s.idempotency(ctx, "rename", c.request)
	if err != nil {
		return nil, nil, err
	}
	dry := dryRun(ctx)
	_, err = s.Store.Rename(ctx, store.Change{
		ProjectID: scope(caller), InstanceID: c.instanceID, Idempotency: key, DryRun: dry,
		Admit: func(store.Scene) error { return newinstance.Configuration(configuration) },
	}, c.rename)
	if err != nil || !dry {
		return nil, nil, named(c.instanceID, err)
	}
	return nil, atOnce("rename", c.instanceID), nil
}

// detachConfiguration detaches nothing, since no configuration group can exist: one that is named is not found.
func (s *Server) detachConfiguration(
	ctx context.Context, c change, configuration *structpb.Value,
) (*taskv1.Task, *taskv1.Plan, error) {
	caller, err := s.authoriseChange(ctx, c.rule, c.instanceID)
	if err != nil {
		return nil, nil, err
	}
	if _, err := s.Store.Instance(ctx, scope(caller), c.instanceID); err != nil {
		return nil, nil, named(c.instanceID, err)
	}
	if err := newinstance.Configuration(configuration); err != nil {
		return nil, nil, err
	}
	if dryRun(ctx) {
		return nil, atOnce("detach_configuration", c.instanceID), nil
	}
	return nil, nil, nil
}

// detachReplica ends the following of a source, whatever value the key has.
func (s *Server) detachReplica(ctx context.Context, c change) (*taskv1.Task, *taskv1.Plan, error) {
	c.command = &commandv1.Command{Action: &commandv1.Command_DetachReplica{DetachReplica: &commandv1.DetachReplica{}}}
	c.first = wantReplica
	return s.order(ctx, c)
}

// updateAccess changes who may connect. What the body does not say stays as it is.
func (s *Server) updateAccess(ctx context.Context, c change, value *structpb.Value) (*taskv1.Task, *taskv1.Plan, error) {
	if _, err := s.authoriseChange(ctx, c.rule, c.instanceID); err != nil {
		return nil, nil, err
	}
	offered, err := s.Catalog.Get(ctx)
	if err != nil {
		return nil, nil, err
	}
	body, err := newinstance.AccessBody(value)
	if err != nil {
		return nil, nil, err
	}
	wanted, err := newinstance.Access(body, offered)
	if err != nil {
		return nil, nil, err
	}
	order := &commandv1.UpdateAccess{}
	c.command = &commandv1.Command{Action: &commandv1.Command_UpdateAccess{UpdateAccess: order}}
	c.judge = func(scene store.Scene) error {
		merged := *wanted
		if now := scene.Instance.Access; now != nil {
			if merged.IsPublic == nil {
				merged.IsPublic = now.IsPublic
			}
			if merged.AllowedCIDRs == nil {
				merged.AllowedCIDRs = now.AllowedCIDRs
			}
		}
		order.Access = newinstance.AccessOrder(&merged)
		return nil
	}
	return s.order(ctx, c)
}
