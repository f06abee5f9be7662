package client

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
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
	Access   Access   `json:"access,omitzero"`
	Region   string   `json:"region,omitempty"`
	Locality string   `json:"locality,omitempty"`
	IP       []string `json:"ip,omitempty"`
	// ReplicaOf is its source; nil for one that is no replica.
	ReplicaOf *Reference  `json:"replica_of,omitempty"`
	Replicas  []Reference `json:"replicas,omitempty"`
	Created   string      `json:"created,omitempty"`
	Updated   string      `json:"updated,omitempty"`
	Fault     *struct {
		Message string `json:"message"`
		Created string `json:"created"`
	} `json:"fault,omitempty"`
}

// Access says who may connect. What is not said is nil.
type Access struct {
	IsPublic     *bool    `json:"is_public,omitempty"`
	AllowedCIDRs []string `json:"allowed_cidrs,omitempty"`
}

// Reference names another instance.
type Reference struct {
	ID string `json:"id"`
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
	id, err := theOne(all, idOrName)
	if err != nil {
		return Instance{}, err
	}
	return c.Instance(ctx, id)
}

// FindInstances are the ids of many, each given by its id or its name. What looks like no name is left to the service.
func (c *Client) FindInstances(ctx context.Context, idsOrNames []string) ([]string, error) {
	all, err := c.Instances(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(idsOrNames))
	for _, given := range idsOrNames {
		if isID(given) {
			ids = append(ids, given)
			continue
		}
		id, err := theOne(all, given)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// theOne is the id of the only instance with a name.
func theOne(all []Instance, name string) (string, error) {
	var found []string
	for _, i := range all {
		if i.Name == name {
			found = append(found, i.ID)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("no instance has the id or the name %q", name)
	case 1:
		return found[0], nil
	default:
		return "", fmt.Errorf("%d instances are named %q: give an id", len(found), name)
	}
}

// idForm is the form of the ids of instances.
var idForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func isID(text string) bool { return idForm.MatchString(text) }

// instanceURL is the address of an instance, or of what is below it, such as "action".
func (c *Client) instanceURL(id string, below ...string) string {
	return c.database.ServiceURL(append([]string{"instances", url.PathEscape(id)}, below...)...)
}
