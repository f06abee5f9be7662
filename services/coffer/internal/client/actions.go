package client

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// RestartInstance orders a restart of the database.
func (c *Client) RestartInstance(ctx context.Context, id string) (Outcome, error) {
	return c.act(ctx, id, "restart", nil)
}

// ResizeFlavor orders another flavor.
func (c *Client) ResizeFlavor(ctx context.Context, id, flavorID string) (Outcome, error) {
	return c.act(ctx, id, "resize", map[string]any{"flavorRef": flavorID})
}

// ResizeVolume orders a larger volume, in GiB.
func (c *Client) ResizeVolume(ctx context.Context, id string, size int) (Outcome, error) {
	return c.act(ctx, id, "resize", map[string]any{"volume": map[string]any{"size": size}})
}

// Promote orders that a replica becomes the source of its set.
func (c *Client) Promote(ctx context.Context, id string) (Outcome, error) {
	return c.act(ctx, id, "promote_to_replica_source", nil)
}

// Eject orders that a dead source is replaced by one of its replicas.
func (c *Client) Eject(ctx context.Context, id string) (Outcome, error) {
	return c.act(ctx, id, "eject_replica_source", nil)
}

// ResetStatus ends what is done to an instance, and forgets what its guest last said.
func (c *Client) ResetStatus(ctx context.Context, id string) (Outcome, error) {
	return c.act(ctx, id, "reset_status", nil)
}

// ForceDelete resets the status, as an owner may on the way to a deletion, and orders that.
func (c *Client) ForceDelete(ctx context.Context, id string) (Outcome, error) {
	reset, err := c.act(ctx, id, "reset_status", map[string]any{"force_delete": true})
	if err != nil || c.trial {
		return reset, err
	}
	return c.DeleteInstance(ctx, id)
}

// DeleteInstance orders the end of an instance and of its data.
func (c *Client) DeleteInstance(ctx context.Context, id string) (Outcome, error) {
	outcome, err := c.change(ctx, http.MethodDelete, c.instanceURL(id), nil, nil)
	if err != nil {
		return Outcome{}, fmt.Errorf("delete instance %s: %w", id, err)
	}
	return outcome, nil
}

// act sends an action with what it has to say.
func (c *Client) act(ctx context.Context, id, action string, says map[string]any) (Outcome, error) {
	return c.actAt(ctx, c.instanceURL(id, "action"), id, action, says)
}

func (c *Client) actAt(ctx context.Context, address, id, action string, says map[string]any) (Outcome, error) {
	if says == nil {
		says = map[string]any{}
	}
	outcome, err := c.change(ctx, http.MethodPost, address, map[string]any{action: says}, nil)
	if err != nil {
		return Outcome{}, fmt.Errorf("%s, instance %s: %w", strings.NewReplacer("_", " ", "-", " ").Replace(action), id, err)
	}
	return outcome, nil
}
