package registration

import (
	"context"
	"fmt"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/endpoints"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/services"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// Unregister takes the endpoints of a region away, the service with its last endpoint, and the user. What Register found
// there and did not make stays, and so do roles and project: others may use them.
func (r *Registry) Unregister(ctx context.Context, wanted Wanted) error {
	if wanted.Region == "" {
		wanted.Region = r.region
	}
	if err := r.removeService(ctx, wanted); err != nil {
		return fmt.Errorf("unregister the service %s: %w", wanted.Service, err)
	}
	if err := r.removeUser(ctx, wanted.User); err != nil {
		return fmt.Errorf("unregister the user %s: %w", wanted.User.Name, err)
	}
	return nil
}

func (r *Registry) removeService(ctx context.Context, wanted Wanted) error {
	service, err := first(ctx, services.List(r.api, services.ListOpts{ServiceType: serviceType, Name: wanted.Service}),
		services.ExtractServices)
	if err != nil {
		return err
	}
	if service == nil {
		r.note(absent, "service %s (%s)", wanted.Service, serviceType)
		return nil
	}
	if service.Description != mark {
		r.note(there, "service %s (%s), with its endpoints: it was not made by a registration", wanted.Service, serviceType)
		return nil
	}
	all, err := all(ctx, endpoints.List(r.api, endpoints.ListOpts{ServiceID: service.ID}), endpoints.ExtractEndpoints)
	if err != nil {
		return err
	}
	elsewhere := 0
	for _, endpoint := range all {
		if endpoint.RegionID != wanted.Region {
			elsewhere++
			continue
		}
		if err := endpoints.Delete(ctx, r.api, endpoint.ID).ExtractErr(); err != nil {
			return client.Explain(err)
		}
		r.note(removed, "endpoint %s of %s: %s", endpoint.Availability, endpoint.RegionID, endpoint.URL)
	}
	if elsewhere > 0 {
		r.note(there, "service %s (%s), with endpoints of other regions", wanted.Service, serviceType)
		return nil
	}
	if err := services.Delete(ctx, r.api, service.ID).ExtractErr(); err != nil {
		return client.Explain(err)
	}
	r.note(removed, "service %s (%s)", wanted.Service, serviceType)
	return nil
}

func (r *Registry) removeUser(ctx context.Context, wanted ServiceUser) error {
	domain, err := r.domain(ctx, wanted.Domain)
	if err != nil {
		return err
	}
	user, err := first(ctx, users.List(r.api, users.ListOpts{Name: wanted.Name, DomainID: domain}), users.ExtractUsers)
	if err != nil {
		return err
	}
	if user == nil {
		r.note(absent, "user %s", wanted.Name)
		return nil
	}
	if user.Description != mark {
		r.note(there, "user %s: it was not made by a registration", wanted.Name)
		return nil
	}
	if err := users.Delete(ctx, r.api, user.ID).ExtractErr(); err != nil {
		return client.Explain(err)
	}
	r.note(removed, "user %s", wanted.Name)
	return nil
}
