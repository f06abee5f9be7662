package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/config"
	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
	"go.yaml.in/yaml/v3"
)

// Client talks to one project of one cloud.
type Client struct {
	database *gophercloud.ServiceClient
}

// Login says which cloud, like the openstack client's own settings.
type Login struct {
	// Cloud is an entry of clouds.yaml; empty for OS_CLOUD, else for the OS_* variables.
	Cloud string
	// OwnClouds is the clouds.yaml of a control plane on this machine. It is taken when nothing else is set.
	OwnClouds string
}

// ownCloud is the entry of OwnClouds that is taken when none is named.
const ownCloud = "coffer"

// Connect gets a token and finds the database service in the catalog.
func Connect(ctx context.Context, login Login) (*Client, error) {
	options, err := login.parseOptions()
	if err != nil {
		return nil, err
	}
	auth, endpoint, tlsConfig, err := clouds.Parse(options...)
	if err != nil {
		return nil, fmt.Errorf("read the cloud's settings: %w", err)
	}
	auth.AllowReauth = true
	provider, err := config.NewProviderClient(ctx, auth, config.WithTLSConfig(tlsConfig))
	if err != nil {
		return nil, fmt.Errorf("log in at %s: %w", auth.IdentityEndpoint, explain(err))
	}
	database, err := openstack.NewDBV1(provider, endpoint)
	if err != nil {
		return nil, fmt.Errorf("find the database service in the catalog: %w", err)
	}
	return &Client{database: database}, nil
}

// parseOptions picks the first of: the named cloud, OS_CLOUD, the OS_* variables, a control plane on this machine.
func (l Login) parseOptions() ([]clouds.ParseOption, error) {
	named := l.Cloud != "" || os.Getenv("OS_CLOUD") != ""
	elsewhere := os.Getenv("OS_CLIENT_CONFIG_FILE") != ""
	_, ownErr := os.Stat(l.OwnClouds)
	own := l.OwnClouds != "" && ownErr == nil && !elsewhere
	var options []clouds.ParseOption
	if l.Cloud != "" {
		options = append(options, clouds.WithCloudName(l.Cloud))
	}
	switch {
	case !named && os.Getenv("OS_AUTH_URL") != "":
		file, err := cloudsFromEnvironment()
		if err != nil {
			return nil, err
		}
		return []clouds.ParseOption{clouds.WithCloudName(ownCloud), clouds.WithCloudsYAML(bytes.NewReader(file))}, nil
	case own:
		if !named {
			options = append(options, clouds.WithCloudName(ownCloud))
		}
		return append(options, clouds.WithLocations(l.OwnClouds, "clouds.yaml")), nil
	case named:
		return options, nil
	case elsewhere:
		return append(options, clouds.WithCloudName(ownCloud)), nil
	default:
		return nil, errors.New("which cloud? Give --os-cloud, or set OS_CLOUD or OS_AUTH_URL, " +
			"or call from where `coffer serve` has its data folder")
	}
}

// cloudsFromEnvironment writes the OS_* variables as the entry of a clouds.yaml, so that there is one way to read both.
func cloudsFromEnvironment() ([]byte, error) {
	variables := map[string]string{
		"auth_url": "OS_AUTH_URL", "username": "OS_USERNAME", "user_id": "OS_USER_ID", "password": "OS_PASSWORD",
		"project_name": "OS_PROJECT_NAME", "project_id": "OS_PROJECT_ID", "token": "OS_TOKEN",
		"user_domain_name": "OS_USER_DOMAIN_NAME", "user_domain_id": "OS_USER_DOMAIN_ID",
		"project_domain_name": "OS_PROJECT_DOMAIN_NAME", "project_domain_id": "OS_PROJECT_DOMAIN_ID",
		"domain_name": "OS_DOMAIN_NAME", "domain_id": "OS_DOMAIN_ID",
		"application_credential_id":     "OS_APPLICATION_CREDENTIAL_ID",
		"application_credential_name":   "OS_APPLICATION_CREDENTIAL_NAME",
		"application_credential_secret": "OS_APPLICATION_CREDENTIAL_SECRET",
	}
	auth := map[string]string{}
	for key, name := range variables {
		if value := os.Getenv(name); value != "" {
			auth[key] = value
		}
	}
	entry := map[string]any{"auth": auth, "region_name": os.Getenv("OS_REGION_NAME")}
	if file := os.Getenv("OS_CACERT"); file != "" {
		entry["cacert"] = file
	}
	text, err := yaml.Marshal(map[string]any{"clouds": map[string]any{ownCloud: entry}})
	if err != nil {
		return nil, fmt.Errorf("read the OS_* variables: %w", err)
	}
	return text, nil
}
