package client

import (
	"context"
	"fmt"
)

// FindFlavor is the id of the flavor that has this id or name.
func (c *Client) FindFlavor(ctx context.Context, idOrName string) (string, error) {
	var answer struct {
		Flavors []struct {
			ID   string `json:"str_id"`
			Name string `json:"name"`
		} `json:"flavors"`
	}
	if err := c.get(ctx, "flavors", nil, &answer); err != nil {
		return "", fmt.Errorf("list flavors: %w", err)
	}
	names := make([]string, 0, len(answer.Flavors))
	for _, flavor := range answer.Flavors {
		if flavor.ID == idOrName || flavor.Name == idOrName {
			return flavor.ID, nil
		}
		names = append(names, flavor.Name)
	}
	return "", fmt.Errorf("no flavor has the id or the name %q; there are %v", idOrName, names)
}
