package client

import (
	"context"
	"fmt"
)

// Backup is a copy of an instance's data.
type Backup struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Created string `json:"created"`
	Updated string `json:"updated"`
}

// Backups lists the backups of an instance, all pages of them.
func (c *Client) Backups(ctx context.Context, id string) ([]Backup, error) {
	var all []Backup
	for address := c.instanceURL(id, "backups"); address != ""; {
		var page struct {
			Backups []Backup `json:"backups"`
			Links   []link   `json:"links"`
		}
		if err := c.getURL(ctx, address, &page); err != nil {
			return nil, fmt.Errorf("list backups of instance %s: %w", id, err)
		}
		all = append(all, page.Backups...)
		address = next(page.Links)
	}
	return all, nil
}

// Configuration is what an instance's engine is told by default, by the names of its parameters.
func (c *Client) Configuration(ctx context.Context, id string) (map[string]string, error) {
	var answer struct {
		Instance struct {
			Configuration map[string]string `json:"configuration"`
		} `json:"instance"`
	}
	if err := c.getURL(ctx, c.instanceURL(id, "configuration"), &answer); err != nil {
		return nil, fmt.Errorf("show the configuration of instance %s: %w", id, err)
	}
	return answer.Instance.Configuration, nil
}
