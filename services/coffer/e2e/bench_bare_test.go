package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// readBare finds the shape that an answer of Coffer has: the one with all of its keys.
func readBare(body []byte) (any, error) {
	var misfits []error
	for _, shown := range []any{&bareList{}, &bareDetails{}, &bareInstance{}} {
		decoder := json.NewDecoder(bytes.NewReader(body))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(shown)
		if err == nil {
			return shown, nil
		}
		misfits = append(misfits, fmt.Errorf("%T: %w", shown, err))
	}
	return nil, errors.Join(misfits...)
}

// The answers of Coffer.
type (
	bareInstance struct {
		Instance bareDetail `json:"instance"`
	}
	bareDetails struct {
		Instances []bareDetail `json:"instances"`
		bareLinks
	}
	bareList struct {
		Instances []bareListed `json:"instances"`
		bareLinks
	}
	bareLinks struct {
		Links          []bareLink `json:"links"`
		InstancesLinks []bareLink `json:"instances_links"`
	}
)

// bareListed is what a list shows of an instance.
type bareListed struct {
	ID              string     `json:"id"`
	Name            string     `json:"name"`
	Status          string     `json:"status"`
	OperatingStatus string     `json:"operating_status"`
	Links           []bareLink `json:"links"`
	Flavor          struct {
		ID    string     `json:"id"`
		Links []bareLink `json:"links"`
	} `json:"flavor"`
	Datastore struct {
		Type          string `json:"type"`
		Version       string `json:"version"`
		VersionNumber string `json:"version_number"`
	} `json:"datastore"`
	Region string `json:"region"`
	Access struct {
		IsPublic     bool     `json:"is_public"`
		AllowedCIDRs []string `json:"allowed_cidrs,omitempty"`
	} `json:"access"`
	Volume struct {
		Size int `json:"size"`
	} `json:"volume"`
	IP        []string `json:"ip"`
	Addresses []struct {
		Address string `json:"address"`
		Type    string `json:"type"`
		Network string `json:"network"`
	} `json:"addresses"`
}

// bareDetail is all that Coffer shows of an instance.
type bareDetail struct {
	bareListed

	Created              string `json:"created"`
	Updated              string `json:"updated"`
	ServiceStatusUpdated string `json:"service_status_updated"`
	Volume               struct {
		Size        int     `json:"size"`
		Used        float64 `json:"used"`
		UsedPercent float64 `json:"used_percent"`
	} `json:"volume"`
}

type bareLink struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}
