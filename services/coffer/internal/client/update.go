package client

import (
	"context"
	"fmt"
	"net/http"
)

// Rename gives an instance another name. It is done at once.
func (c *Client) Rename(ctx context.Context, id, name string) (Outcome, error) {
	return c.update(ctx, http.MethodPatch, id, "name", name)
}

// Upgrade orders another version of the instance's engine, by its name or id.
func (c *Client) Upgrade(ctx context.Context, id, version string) (Outcome, error) {
	return c.update(ctx, http.MethodPatch, id, "datastore_version", version)
}

// Detach orders that a replica becomes an instance of its own.
func (c *Client) Detach(ctx context.Context, id string) (Outcome, error) {
	return c.update(ctx, http.MethodPut, id, "replica_of", nil)
}

// UpdateAccess orders who may connect. Trove takes away what is not said, so that is filled in with what is shown now.
func (c *Client) UpdateAccess(ctx context.Context, id string, wanted Access) (Outcome, error) {
	now, err := c.Instance(ctx, id)
	if err != nil {
		return Outcome{}, err
	}
	if wanted.IsPublic == nil {
		wanted.IsPublic = now.Access.IsPublic
	}
	if wanted.AllowedCIDRs == nil {
		wanted.AllowedCIDRs = now.Access.AllowedCIDRs
	}
	return c.update(ctx, http.MethodPut, id, "access", wanted)
}

func (c *Client) update(ctx context.Context, method, id, attribute string, value any) (Outcome, error) {
	body := map[string]any{"instance": map[string]any{attribute: value}}
	outcome, err := c.change(ctx, method, c.instanceURL(id), body, nil)
	if err != nil {
		return Outcome{}, fmt.Errorf("update instance %s: %w", id, err)
	}
	return outcome, nil
}
