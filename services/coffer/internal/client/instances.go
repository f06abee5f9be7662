package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Instance is a database instance as the service shows it.
type Instance struct {
	ID              string `json:"id"`
	Name            string `json:"name"`
	Status          string `json:"status"`
	OperatingStatus string `json:"operating_status,omitempty"`
	Datastore       struct {
		Type          string `json:"type"`
		Version       string `json:"version"`
		VersionNumber string `json:"version_number,omitempty"`
	} `json:"datastore"`
	Flavor struct {
		ID string `json:"id"`
	} `json:"flavor"`
	Volume *struct {
		Size int      `json:"size"`
		Used *float64 `json:"used,omitempty"`
	} `json:"volume,omitempty"`
	Region  string   `json:"region,omitempty"`
	IP      []string `json:"ip,omitempty"`
	Created string   `json:"created,omitempty"`
	Updated string   `json:"updated,omitempty"`
	Fault   *struct {
		Message string `json:"message"`
		Created string `json:"created"`
	} `json:"fault,omitempty"`
}

// NewInstance is what a create call asks for.
type NewInstance struct {
	Name      string        `json:"name"`
	FlavorRef string        `json:"flavorRef"`
	Volume    *NewVolume    `json:"volume,omitempty"`
	Datastore *NewDatastore `json:"datastore,omitempty"`
	Databases []NewDatabase `json:"databases,omitempty"`
	Users     []NewUser     `json:"users,omitempty"`
}

// NewVolume is the size of the data's disk, in GiB.
type NewVolume struct {
	Size int `json:"size"`
}

// NewDatastore names the engine; empty fields leave the choice to the service.
type NewDatastore struct {
	Type    string `json:"type,omitempty"`
	Version string `json:"version,omitempty"`
}

// NewDatabase is a database to be made in the instance.
type NewDatabase struct {
	Name string `json:"name"`
}

// NewUser is a user to be made in the instance, and the databases that are theirs.
type NewUser struct {
	Name      string        `json:"name"`
	Password  string        `json:"password"`
	Databases []NewDatabase `json:"databases,omitempty"`
}

// Instances lists the project's instances, all pages of them.
func (c *Client) Instances(ctx context.Context) ([]Instance, error) {
	var all []Instance
	for address := c.database.ServiceURL("instances"); address != ""; {
		var page struct {
			Instances []Instance `json:"instances"`
			Links     []link     `json:"links"`
		}
		if err := c.getURL(ctx, address, &page); err != nil {
			return nil, fmt.Errorf("list instances: %w", err)
		}
		all = append(all, page.Instances...)
		address = next(page.Links)
	}
	return all, nil
}

// Instance shows one, by its id.
func (c *Client) Instance(ctx context.Context, id string) (Instance, error) {
	var answer struct {
		Instance Instance `json:"instance"`
	}
	if err := c.get(ctx, "instances/"+url.PathEscape(id), nil, &answer); err != nil {
		return Instance{}, fmt.Errorf("show instance %s: %w", id, err)
	}
	return answer.Instance, nil
}

// FindInstance shows the one with this id, or else the only one with this name.
func (c *Client) FindInstance(ctx context.Context, idOrName string) (Instance, error) {
	if byID, err := c.Instance(ctx, idOrName); !IsNotFound(err) {
		return byID, err
	}
	all, err := c.Instances(ctx)
	if err != nil {
		return Instance{}, err
	}
	var found []Instance
	for _, i := range all {
		if i.Name == idOrName {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 0:
		return Instance{}, fmt.Errorf("no instance has the id or the name %q", idOrName)
	case 1:
		return c.Instance(ctx, found[0].ID)
	default:
		return Instance{}, fmt.Errorf("%d instances are named %q: give an id", len(found), idOrName)
	}
}

// CreateInstance orders an instance, and answers with it and with its task.
func (c *Client) CreateInstance(ctx context.Context, wanted NewInstance) (made Instance, taskID string, err error) {
	var answer struct {
		Instance Instance `json:"instance"`
	}
	taskID, err = c.change(ctx, http.MethodPost, "instances", map[string]any{"instance": wanted}, &answer)
	if err != nil {
		return Instance{}, "", fmt.Errorf("create instance %s: %w", wanted.Name, err)
	}
	return answer.Instance, taskID, nil
}

// RestartInstance orders a restart of the database.
func (c *Client) RestartInstance(ctx context.Context, id string) (taskID string, err error) {
	taskID, err = c.change(ctx, http.MethodPost, "instances/"+id+"/action", map[string]any{"restart": map[string]any{}}, nil)
	if err != nil {
		return "", fmt.Errorf("restart instance %s: %w", id, err)
	}
	return taskID, nil
}

// DeleteInstance orders the end of an instance and of its data.
func (c *Client) DeleteInstance(ctx context.Context, id string) (taskID string, err error) {
	taskID, err = c.change(ctx, http.MethodDelete, "instances/"+id, nil, nil)
	if err != nil {
		return "", fmt.Errorf("delete instance %s: %w", id, err)
	}
	return taskID, nil
}
