package registration

import (
	"context"
	"errors"
	"fmt"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/endpoints"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/services"

	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// Wanted is what Keystone shall know.
type Wanted struct {
	// Service is the name of the service, whose type is database.
	Service string
	// URL is where clients reach it, as the catalog has it: http://host:8779/v1.0/%(project_id)s.
	URL string
	// Region of the endpoints; empty for that of the admin's cloud.
	Region string
	// Replace gives endpoints that are there another URL.
	Replace bool
	// User is as whom the control plane speaks to the cloud.
	User ServiceUser
}

// faces are the interfaces of a service. There is one network, so all have the same URL.
var faces = []gophercloud.Availability{
	gophercloud.AvailabilityPublic, gophercloud.AvailabilityInternal, gophercloud.AvailabilityAdmin,
}

// Register makes what is missing; it makes nothing where something else is in the way. The user comes first: what the
// catalog names shall work. Without an error or with one, the secret holds what was made and is told nowhere else.
func (r *Registry) Register(ctx context.Context, wanted Wanted) (Secret, error) {
	if wanted.Region == "" {
		wanted.Region = r.region
	}
	if wanted.Region == "" {
		return Secret{}, errors.New("which region? The cloud names none")
	}
	entry, err := r.look(ctx, wanted)
	if err != nil {
		return Secret{}, fmt.Errorf("find the service %s: %w", wanted.Service, err)
	}
	secret, err := r.ensureUser(ctx, wanted.User)
	secret.Region = wanted.Region
	if err != nil {
		return secret, err
	}
	if err := r.ensureService(ctx, wanted.Service, &entry); err != nil {
		return secret, fmt.Errorf("register the service %s: %w", wanted.Service, err)
	}
	for _, face := range faces {
		if err := r.ensureEndpoint(ctx, wanted, entry, face); err != nil {
			return secret, fmt.Errorf("register the %s endpoint of %s: %w", face, wanted.Region, err)
		}
	}
	return secret, nil
}

// entry is what the catalog has already.
type entry struct {
	// service is its id; empty for none.
	service   string
	endpoints map[gophercloud.Availability]endpoints.Endpoint
}

// look refuses what would mislead clients: a second service of the type, of which they would take the first they find,
// and another URL, unless it shall be replaced.
func (r *Registry) look(ctx context.Context, wanted Wanted) (entry, error) {
	found, err := all(ctx, services.List(r.api, services.ListOpts{ServiceType: serviceType}), services.ExtractServices)
	if err != nil {
		return entry{}, err
	}
	e := entry{endpoints: map[gophercloud.Availability]endpoints.Endpoint{}}
	for _, service := range found {
		if service.Name != wanted.Service {
			return entry{}, fmt.Errorf("a %s service named %s is there: clients would not know which one is meant", serviceType, service.Name)
		}
		e.service = service.ID
	}
	if e.service == "" {
		return e, nil
	}
	known, err := all(ctx, endpoints.List(r.api, endpoints.ListOpts{ServiceID: e.service, RegionID: wanted.Region}),
		endpoints.ExtractEndpoints)
	if err != nil {
		return entry{}, err
	}
	for _, endpoint := range known {
		if endpoint.URL != wanted.URL && !wanted.Replace {
			return entry{}, fmt.Errorf("its %s endpoint of %s is %s", endpoint.Availability, wanted.Region, endpoint.URL)
		}
		e.endpoints[endpoint.Availability] = endpoint
	}
	return e, nil
}

func (r *Registry) ensureService(ctx context.Context, name string, e *entry) error {
	what := fmt.Sprintf("service %s (%s)", name, serviceType)
	if e.service != "" {
		r.note(there, "%s", what)
		return nil
	}
	service, err := services.Create(ctx, r.api, services.CreateOpts{
		Name: name, Type: serviceType, Description: mark,
	}).Extract()
	if err != nil {
		return client.Explain(err)
	}
	e.service = service.ID
	r.note(made, "%s", what)
	return nil
}

func (r *Registry) ensureEndpoint(ctx context.Context, wanted Wanted, e entry, face gophercloud.Availability) error {
	what := fmt.Sprintf("endpoint %s of %s: %s", face, wanted.Region, wanted.URL)
	known, found := e.endpoints[face]
	switch {
	case !found:
		_, err := endpoints.Create(ctx, r.api, endpoints.CreateOpts{
			ServiceID: e.service, Availability: face, Region: wanted.Region, URL: wanted.URL,
		}).Extract()
		if err != nil {
			return client.Explain(err)
		}
		r.note(made, "%s", what)
	case known.URL == wanted.URL:
		r.note(there, "%s", what)
	default:
		if _, err := endpoints.Update(ctx, r.api, known.ID, endpoints.UpdateOpts{URL: wanted.URL}).Extract(); err != nil {
			return client.Explain(err)
		}
		r.note(changed, "%s", what)
	}
	return nil
}
