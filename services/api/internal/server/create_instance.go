package server

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/newinstance"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// CreateInstance accepts the creation of an instance. Nothing is written before everything has been checked.
func (s *Server) CreateInstance(
	ctx context.Context, request *instancev1.CreateInstanceRequest,
) (*instancev1.CreateInstanceResponse, error) {
	body := request.GetInstance()
	if body == nil {
		return nil, errs.New(errs.Invalid, "VALIDATION", "Validation error: 'instance' is a required property")
	}
	caller, err := s.authoriseCreate(ctx, body)
	if err != nil {
		return nil, err
	}
	offered, err := s.Catalog.Get(ctx)
	if err != nil {
		return nil, err
	}
	sourceID, err := newinstance.ReplicaSource(body)
	if err != nil {
		return nil, err
	}
	var made decision
	if sourceID == "" {
		made, err = s.create(ctx, caller, request, offered)
	} else {
		made, err = s.createReplicas(ctx, caller, request, sourceID, offered)
	}
	if err != nil {
		return nil, err
	}
	task, plan, err := s.told(ctx, made)
	if err != nil {
		return nil, err
	}
	writer, err := s.writer(ctx)
	if err != nil {
		return nil, err
	}
	return &instancev1.CreateInstanceResponse{Instance: writer.Detail(made.Instance, nil), Task: task, Plan: plan}, nil
}

func (s *Server) create(
	ctx context.Context, caller identity.Caller, request *instancev1.CreateInstanceRequest, offered *catalog.Catalog,
) (decision, error) {
	plan, err := newinstance.Check(request.GetInstance(), offered, s.Settings.Limits)
	if err != nil {
		return decision{}, err
	}
	id := uuid.NewString()
	acceptance := s.creation(ctx, caller, id, plan, &commandv1.Command{
		Action: &commandv1.Command_CreateInstance{CreateInstance: plan.Command()},
	})
	if acceptance.Secrets, err = s.seal(id, plan.Passwords); err != nil {
		return decision{}, err
	}
	if acceptance.Idempotency, err = s.idempotency(ctx, string(acceptance.Action.Name), request); err != nil {
		return decision{}, err
	}
	accepted, err := s.enter(ctx, acceptance)
	return decision{Accepted: accepted, dryRun: acceptance.DryRun}, err
}

// authoriseCreate asks for the rules of all that the body brings along.
func (s *Server) authoriseCreate(ctx context.Context, body *instancev1.NewInstance) (identity.Caller, error) {
	caller, err := s.authorise(ctx, "instance:create")
	for _, extra := range []struct {
		asked bool
		rule  string
	}{
		{body.GetConfiguration().GetStringValue() != "", "instance:update"},
		{len(body.GetModules().GetListValue().GetValues()) > 0, "instance:module_apply"},
		{len(body.GetUsers()) > 0, "instance:extension:user:create"},
		{len(body.GetDatabases()) > 0, "instance:extension:database:create"},
	} {
		if err == nil && extra.asked {
			_, err = s.authorise(ctx, extra.rule)
		}
	}
	return caller, err
}

// creation is what is written for a plan: the row, the order without passwords, the quota.
func (s *Server) creation(
	ctx context.Context, caller identity.Caller, id string, plan newinstance.Plan, command *commandv1.Command,
) store.Acceptance {
	ordered, _ := action.Lookup(action.Of(command))
	command.InstanceId, command.ProjectId = id, caller.ProjectID
	now := s.Now()
	return store.Acceptance{
		Action:     ordered,
		ProjectID:  caller.ProjectID,
		InstanceID: id,
		New: &store.Instance{
			ID:                 id,
			ProjectID:          caller.ProjectID,
			Name:               plan.Name,
			DatastoreVersionID: plan.Version.ID,
			FlavorID:           plan.Flavor.GetId(),
			RAM:                int(plan.Flavor.GetRam()),
			VolumeSize:         plan.VolumeSize,
			VolumeType:         plan.VolumeType,
			Region:             plan.Region,
			AvailabilityZone:   plan.AvailabilityZone,
			Locality:           plan.Locality,
			Access:             plan.Access,
			TaskStatus:         ordered.TaskStatus,
			ServerStatus:       status.ServerNone,
			ServiceStatus:      status.ServiceNew,
			Created:            now,
			Updated:            now,
		},
		Command: command,
		Quota: map[store.Resource]int{
			store.ResourceInstances: 1,
			store.ResourceRAM:       int(plan.Flavor.GetRam()),
			store.ResourceVolumes:   plan.VolumeSize,
		},
		DryRun: dryRun(ctx),
	}
}

// seal makes the passwords unreadable in the form in which a taskmanager will be given them.
func (s *Server) seal(instanceID string, passwords map[string]string) ([]byte, error) {
	if len(passwords) == 0 {
		return nil, nil
	}
	plain, err := proto.Marshal(&journalv1.GetSecretsResponse{UserPasswords: passwords})
	if err != nil {
		return nil, fmt.Errorf("write passwords: %w", err)
	}
	return s.Secrets.Seal(plain, instanceID), nil
}
