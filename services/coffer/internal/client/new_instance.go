package client

import (
	"context"
	"fmt"
	"net/http"
)

// NewInstance is what a create call asks for.
type NewInstance struct {
	Name             string        `json:"name"`
	FlavorRef        string        `json:"flavorRef,omitempty"`
	Volume           *NewVolume    `json:"volume,omitempty"`
	Datastore        *NewDatastore `json:"datastore,omitempty"`
	Databases        []NewDatabase `json:"databases,omitempty"`
	Users            []NewUser     `json:"users,omitempty"`
	NICs             []NewNIC      `json:"nics,omitempty"`
	AvailabilityZone string        `json:"availability_zone,omitempty"`
	Locality         string        `json:"locality,omitempty"`
	Access           *Access       `json:"access,omitempty"`
	// ReplicaOf is the id of a source: the instance is made its replica, and ReplicaCount of them if it is not 0.
	ReplicaOf    string `json:"replica_of,omitempty"`
	ReplicaCount int    `json:"replica_count,omitempty"`
}

// NewNIC says where the instance is in the network; empty fields leave the choice to the service.
type NewNIC struct {
	NetworkID string `json:"network_id,omitempty"`
	SubnetID  string `json:"subnet_id,omitempty"`
	IPAddress string `json:"ip_address,omitempty"`
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

// CreateInstance orders an instance, and answers with it. Of several replicas it is the last one.
func (c *Client) CreateInstance(ctx context.Context, wanted NewInstance) (Instance, Outcome, error) {
	var answer struct {
		Instance Instance `json:"instance"`
	}
	outcome, err := c.change(ctx, http.MethodPost, c.database.ServiceURL("instances"), map[string]any{"instance": wanted}, &answer)
	if err != nil {
		return Instance{}, Outcome{}, fmt.Errorf("create instance %s: %w", wanted.Name, err)
	}
	return answer.Instance, outcome, nil
}
