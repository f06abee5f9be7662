package server

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	mgmtv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/mgmt/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// MigrateInstance accepts that an instance's server moves to another host.
func (s *Server) MigrateInstance(
	ctx context.Context, request *mgmtv1.MigrateInstanceRequest,
) (*mgmtv1.MigrateInstanceResponse, error) {
	if _, err := s.authoriseChange(ctx, ruleManagedAction, request.GetInstanceId()); err != nil {
		return nil, err
	}
	offered, err := s.Catalog.Get(ctx)
	if err != nil {
		return nil, err
	}
	task, plan, err := s.order(ctx, change{
		instanceID: request.GetInstanceId(), request: request,
		command: &commandv1.Command{Action: &commandv1.Command_MigrateInstance{
			MigrateInstance: &commandv1.MigrateInstance{Host: request.GetHost()},
		}},
		first: func(store.Scene) error {
			if offered.Provider.GetCapabilities().GetMigration() {
				return nil
			}
			return errs.New(errs.Invalid, "PROVIDER_CANNOT",
				"The provider '%s' has one host and cannot migrate servers.", offered.Provider.GetProvider())
		},
	})
	if err != nil {
		return nil, err
	}
	return &mgmtv1.MigrateInstanceResponse{Task: task, Plan: plan}, nil
}
