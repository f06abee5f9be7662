package client

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
)

// ManagedInstance is an instance of any project, as admins see it.
type ManagedInstance struct {
	Instance
	ProjectID string `json:"tenant_id,omitempty"`
	ServerID  string `json:"server_id,omitempty"`
	VolumeID  string `json:"volume_id,omitempty"`
	Server    *struct {
		ID     string `json:"id"`
		Host   string `json:"host,omitempty"`
		Status string `json:"status"`
	} `json:"server,omitempty"`
	ServiceStatus   string  `json:"service_status,omitempty"`
	TaskDescription string  `json:"task_description,omitempty"`
	Deleted         bool    `json:"deleted"`
	DeletedAt       *string `json:"deleted_at,omitempty"`
}

// ManagedInstances lists the instances of all projects, or those that are deleted, all pages of them.
func (c *Client) ManagedInstances(ctx context.Context, deleted bool) ([]ManagedInstance, error) {
	var all []ManagedInstance
	address := c.database.ServiceURL("mgmt", "instances") + "?" + deletion(deleted)
	for address != "" {
		var page struct {
			Instances []ManagedInstance `json:"instances"`
			Links     []link            `json:"links"`
		}
		if err := c.getURL(ctx, address, &page); err != nil {
			return nil, fmt.Errorf("list the instances of all projects: %w", err)
		}
		all = append(all, page.Instances...)
		address = next(page.Links)
	}
	return all, nil
}

// ManagedInstance shows one of any project, by its id; a deleted one only if it is asked for as such.
func (c *Client) ManagedInstance(ctx context.Context, id string, deleted bool) (ManagedInstance, error) {
	var answer struct {
		Instance ManagedInstance `json:"instance"`
	}
	if err := c.getURL(ctx, c.managedURL(id)+"?"+deletion(deleted), &answer); err != nil {
		return ManagedInstance{}, fmt.Errorf("show instance %s: %w", id, err)
	}
	return answer.Instance, nil
}

// FindManagedInstance shows the one of any project with this id, or else the only one with this name.
func (c *Client) FindManagedInstance(ctx context.Context, idOrName string, deleted bool) (ManagedInstance, error) {
	if byID, err := c.ManagedInstance(ctx, idOrName, deleted); !IsNotFound(err) {
		return byID, err
	}
	all, err := c.ManagedInstances(ctx, deleted)
	if err != nil {
		return ManagedInstance{}, err
	}
	instances := make([]Instance, 0, len(all))
	for _, managed := range all {
		instances = append(instances, managed.Instance)
	}
	id, err := theOne(instances, idOrName)
	if err != nil {
		return ManagedInstance{}, err
	}
	return c.ManagedInstance(ctx, id, deleted)
}

// StopDatabase stops the database, and answers when it is stopped.
func (c *Client) StopDatabase(ctx context.Context, id string) (Outcome, error) {
	return c.manage(ctx, id, "stop", nil)
}

// RebootServer orders a restart of the whole server.
func (c *Client) RebootServer(ctx context.Context, id string) (Outcome, error) {
	return c.manage(ctx, id, "reboot", nil)
}

// MigrateServer orders that the server moves to another host; an empty one leaves the choice to the service.
func (c *Client) MigrateServer(ctx context.Context, id, host string) (Outcome, error) {
	says := map[string]any{}
	if host != "" {
		says["host"] = host
	}
	return c.manage(ctx, id, "migrate", says)
}

// RebuildServer orders that the server is made anew from an image.
func (c *Client) RebuildServer(ctx context.Context, id, image string) (Outcome, error) {
	return c.manage(ctx, id, "rebuild", map[string]any{"image_id": image})
}

// ResetTaskStatus ends what is done to an instance.
func (c *Client) ResetTaskStatus(ctx context.Context, id string) (Outcome, error) {
	return c.manage(ctx, id, "reset-task-status", nil)
}

func (c *Client) manage(ctx context.Context, id, action string, says map[string]any) (Outcome, error) {
	return c.actAt(ctx, c.managedURL(id, "action"), id, action, says)
}

func (c *Client) managedURL(id string, below ...string) string {
	return c.database.ServiceURL(append([]string{"mgmt", "instances", url.PathEscape(id)}, below...)...)
}

func deletion(deleted bool) string {
	return url.Values{"deleted": {strconv.FormatBool(deleted)}}.Encode()
}
