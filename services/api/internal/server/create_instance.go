package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
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
	if err := s.refuseReplica(ctx, caller, body); err != nil {
		return nil, err
	}
	plan, err := newinstance.Check(body, offered, s.Settings.Limits)
	if err != nil {
		return nil, err
	}
	acceptance, err := s.creation(caller, plan)
	if err != nil {
		return nil, err
	}
	accepted, err := s.enter(ctx, request, acceptance)
	if err != nil {
		return nil, err
	}
	writer, err := s.writer(ctx)
	if err != nil {
		return nil, err
	}
	return &instancev1.CreateInstanceResponse{
		Instance: writer.Detail(accepted.Instance), Task: store.TaskProto(accepted.Task),
	}, nil
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

// refuseReplica answers a call for a replica, which no datastore supports yet.
func (s *Server) refuseReplica(ctx context.Context, caller identity.Caller, body *instancev1.NewInstance) error {
	sourceID, err := newinstance.ReplicaSource(body)
	if err != nil || sourceID == "" {
		return err
	}
	source, err := s.Store.Instance(ctx, scope(caller), sourceID)
	if err != nil {
		return named(sourceID, err)
	}
	offered, err := s.Catalog.Get(ctx)
	if err != nil {
		return err
	}
	version, _ := offered.Version(source.DatastoreVersionID)
	return newinstance.ReplicationNotSupported(version.DatastoreName)
}

// creation is what is written for a plan: the row, the order without passwords, the passwords sealed, the quota.
func (s *Server) creation(caller identity.Caller, plan newinstance.Plan) (store.Acceptance, error) {
	ordered, known := action.Lookup(action.CreateInstance)
	if !known {
		return store.Acceptance{}, errors.New("create_instance has no row in the table of actions")
	}
	id := uuid.NewString()
	sealed, err := s.seal(id, plan.Passwords)
	if err != nil {
		return store.Acceptance{}, err
	}
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
		Command: &commandv1.Command{
			InstanceId: id,
			ProjectId:  caller.ProjectID,
			Action:     &commandv1.Command_CreateInstance{CreateInstance: plan.Command()},
		},
		Quota: map[store.Resource]int{
			store.ResourceInstances: 1,
			store.ResourceRAM:       int(plan.Flavor.GetRam()),
			store.ResourceVolumes:   plan.VolumeSize,
		},
		Secrets: sealed,
	}, nil
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
