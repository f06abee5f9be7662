package local

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// everybody is the only rule of access that there is: a database listens on this host's loopback.
const everybody = "0.0.0.0/0"

// MigrateServer has nowhere to go.
func (p *Provider) MigrateServer(context.Context, string, string) (step.Server, error) {
	return step.Server{}, errs.New(errs.Invalid, "MIGRATION", "The local provider has one host; a server cannot be migrated.")
}

// UpdateAccess accepts what holds anyway.
func (p *Provider) UpdateAccess(_ context.Context, instanceID string, access step.Access) ([]step.Address, error) {
	if err := checkID(instanceID); err != nil {
		return nil, err
	}
	if access.Public {
		return nil, errs.New(errs.Invalid, "PUBLIC_ADDRESS", "The local provider has no public addresses.")
	}
	for _, cidr := range access.CIDRs {
		if cidr != everybody {
			return nil, errs.New(errs.Invalid, "ACCESS_RULE", "The local provider can allow %s alone, not %s.", everybody, cidr)
		}
	}
	return nil, nil
}
