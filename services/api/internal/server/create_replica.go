package server

import (
	"context"

	"github.com/google/uuid"

	"github.com/coffer-dbaas/coffer/pkg/action"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/newinstance"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// createReplicas accepts as many replicas of a source as the call asks for: all of them, or none. The decision is that of
// the last one, as in Trove.
func (s *Server) createReplicas(
	ctx context.Context, caller identity.Caller, request *instancev1.CreateInstanceRequest, sourceID string,
	offered *catalog.Catalog,
) (decision, error) {
	source, err := s.Store.Instance(ctx, caller.ProjectID, sourceID)
	if err != nil {
		return decision{}, named(sourceID, err)
	}
	version, _ := offered.Version(source.DatastoreVersionID)
	plans, err := newinstance.CheckReplica(request.GetInstance(), source, version, offered)
	if err != nil {
		return decision{}, err
	}
	creations := make([]store.Acceptance, 0, len(plans))
	for _, plan := range plans {
		creation := s.creation(ctx, caller, uuid.NewString(), plan, &commandv1.Command{
			Action: &commandv1.Command_CreateReplica{CreateReplica: plan.ReplicaCommand(sourceID)},
		})
		creation.New.ReplicaOf = sourceID
		creation.Admit = func(scene store.Scene) error {
			now := scene.Others[0]
			if now.ReplicaOf != "" {
				return errSetChanged
			}
			return s.admit(action.AdmitRuleR, store.Scene{Instance: now})
		}
		creations = append(creations, creation)
	}
	accepted, err := s.enterAll(ctx, "create_replica", request, creations)
	if err != nil {
		return decision{}, named(sourceID, err)
	}
	last := len(accepted) - 1
	return together(ctx, accepted[last], accepted[:last]), nil
}
