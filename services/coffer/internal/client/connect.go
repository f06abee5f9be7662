package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/config"
	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
	"go.yaml.in/yaml/v3"
)

// Client talks to one project of one cloud.
type Client struct {
	database *gophercloud.ServiceClient
	// trial says that changes are only tried.
	trial bool
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

// LogIn gets a token. The options say in which region and by which interface services are meant.
func (l Login) LogIn(ctx context.Context) (*gophercloud.ProviderClient, gophercloud.EndpointOpts, error) {
	options, err := l.parseOptions()
	if err != nil {
		return nil, gophercloud.EndpointOpts{}, err
	}
	auth, endpoint, tlsConfig, err := clouds.Parse(options...)
	if err != nil {
		return nil, gophercloud.EndpointOpts{}, fmt.Errorf("read the cloud's settings: %w", err)
	}
	auth.AllowReauth = true
	provider, err := config.NewProviderClient(ctx, auth, config.WithHTTPClient(http.Client{Transport: transport(tlsConfig)}))
	if err != nil {
		return nil, gophercloud.EndpointOpts{}, fmt.Errorf("log in at %s: %w", auth.IdentityEndpoint, Explain(err))
	}
	return provider, endpoint, nil
}

// Connect gets a token and finds the database service in the catalog.
func Connect(ctx context.Context, login Login) (*Client, error) {
	provider, endpoint, err := login.LogIn(ctx)
	if err != nil {
		return nil, err
	}
	database, err := openstack.NewDBV1(provider, endpoint)
	if err != nil {
		return nil, fmt.Errorf("find the database service in the catalog: %w", err)
	}
	return &Client{database: database}, nil
}

// answerLimit bounds the wait for the beginning of an answer; Coffer's gateway gives up a little sooner.
const answerLimit = 5 * time.Minute

func transport(tlsConfig *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: tlsConfig, ForceAttemptHTTP2: true,
		ResponseHeaderTimeout: answerLimit,
	}
}

// parseOptions picks the first of: the named cloud, OS_CLOUD, the OS_* variables, a control plane on this machine.
func (l Login) parseOptions() ([]clouds.ParseOption, error) {
	name := cmp.Or(l.Cloud, os.Getenv("OS_CLOUD"))
	named := name != ""
	elsewhere := os.Getenv("OS_CLIENT_CONFIG_FILE") != ""
	own := !elsewhere && holdsCloud(l.OwnClouds, cmp.Or(name, ownCloud))
	switch {
	case !named && os.Getenv("OS_AUTH_URL") != "":
		file, err := cloudsFromEnvironment()
		if err != nil {
			return nil, err
		}
		return []clouds.ParseOption{clouds.WithCloudName(ownCloud), clouds.WithCloudsYAML(bytes.NewReader(file))}, nil
	case own:
		return []clouds.ParseOption{clouds.WithCloudName(cmp.Or(name, ownCloud)), clouds.WithLocations(l.OwnClouds)}, nil
	case named, elsewhere:
		return []clouds.ParseOption{clouds.WithCloudName(cmp.Or(name, ownCloud))}, nil
	default:
		return nil, errors.New("which cloud? Give --os-cloud, or set OS_CLOUD or OS_AUTH_URL, " +
			"or call from where `coffer serve` has its data folder")
	}
}

// holdsCloud says whether a clouds.yaml is there and has the entry.
func holdsCloud(path, name string) bool {
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var file struct {
		Clouds map[string]any `yaml:"clouds"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return false
	}
	_, there := file.Clouds[name]
	return there
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
	defaultDomain(auth)
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

// defaultDomain names the domain of a user or project that is given without one, as the openstack client does.
func defaultDomain(auth map[string]string) {
	domain := cmp.Or(os.Getenv("OS_DEFAULT_DOMAIN"), "default")
	for name, keys := range map[string][2]string{
		"username":     {"user_domain_id", "user_domain_name"},
		"project_name": {"project_domain_id", "project_domain_name"},
	} {
		whole := auth["domain_id"] != "" || auth["domain_name"] != ""
		if auth[name] != "" && auth[keys[0]] == "" && auth[keys[1]] == "" && !whole {
			auth[keys[0]] = domain
		}
	}
}
