package server

import (
	"context"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/coffer-dbaas/coffer/pkg/dbconfig"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
)

// GetInstanceConfiguration shows what Coffer sets for the instance's version and flavor.
func (s *Server) GetInstanceConfiguration(
	ctx context.Context, request *instancev1.GetInstanceConfigurationRequest,
) (*instancev1.GetInstanceConfigurationResponse, error) {
	caller := callerOf(ctx)
	instance, err := s.findInstance(ctx, caller, request.GetInstanceId())
	if err != nil {
		return nil, err
	}
	if err := s.Policy.Check(caller, "instance:configuration", instance.ProjectID); err != nil {
		return nil, err
	}
	offered, err := s.Catalog.Get(ctx)
	if err != nil {
		return nil, err
	}
	version, _ := offered.Version(instance.DatastoreVersionID)
	shown := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	for name, value := range dbconfig.Defaults(version.Manager, version.Version, instance.RAM) {
		shown.Fields[name] = structpb.NewStringValue(value)
	}
	return &instancev1.GetInstanceConfigurationResponse{
		Instance: &instancev1.InstanceConfiguration{Configuration: shown},
	}, nil
}
