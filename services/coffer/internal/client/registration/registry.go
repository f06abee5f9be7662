package registration

import (
	"context"
	"fmt"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/domains"
	"github.com/gophercloud/gophercloud/v2/pagination"

	openstackclient "github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/coffer/internal/client"
)

// serviceType is what clients look for in the catalog.
const serviceType = "database"

// mark describes what Register made. Unregister takes nothing else away.
const mark = "Made by `coffer openstack register`."

// Line is one thing that was looked for.
type Line struct {
	// Found is made, there, changed, removed or absent.
	Found string
	// What names it.
	What string
}

// What became of a thing.
const (
	made    = "made"
	there   = "there"
	changed = "changed"
	removed = "removed"
	absent  = "absent"
)

// Registry is a Keystone that an admin is logged in to.
type Registry struct {
	api    *gophercloud.ServiceClient
	region string
	tell   func(Line)
}

// Open logs in. tell hears of each thing as it is settled.
func Open(ctx context.Context, login client.Login, tell func(Line)) (*Registry, error) {
	provider, endpoint, err := login.LogIn(ctx)
	if err != nil {
		return nil, err
	}
	api, err := openstack.NewIdentityV3(provider, gophercloud.EndpointOpts{})
	if err != nil {
		return nil, fmt.Errorf("find Keystone: %w", err)
	}
	return &Registry{api: api, region: endpoint.Region, tell: tell}, nil
}

func (r *Registry) note(found, format string, args ...any) {
	r.tell(Line{Found: found, What: fmt.Sprintf(format, args...)})
}

// authURL is where Keystone is.
func (r *Registry) authURL() string { return strings.TrimSuffix(r.api.IdentityEndpoint, "/") }

// domain finds the id of a domain that is given by its id or its name.
func (r *Registry) domain(ctx context.Context, idOrName string) (string, error) {
	found, err := all(ctx, domains.List(r.api, domains.ListOpts{}), domains.ExtractDomains)
	if err != nil {
		return "", fmt.Errorf("find the domain %s: %w", idOrName, err)
	}
	for _, domain := range found {
		if domain.ID == idOrName || domain.Name == idOrName {
			return domain.ID, nil
		}
	}
	return "", fmt.Errorf("there is no domain %s", idOrName)
}

// all reads a list to its end.
func all[T any](ctx context.Context, pager pagination.Pager, extract func(pagination.Page) ([]T, error)) ([]T, error) {
	found, err := openstackclient.All(ctx, pager, extract)
	if err != nil {
		return nil, client.Explain(err)
	}
	return found, nil
}

// first is the first of a list that names at most one thing; nil for none.
func first[T any](ctx context.Context, pager pagination.Pager, extract func(pagination.Page) ([]T, error)) (*T, error) {
	found, err := all(ctx, pager, extract)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}
