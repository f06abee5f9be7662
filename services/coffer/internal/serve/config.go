package serve

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/bus/embedded"
	"github.com/coffer-dbaas/coffer/pkg/config"
	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/services/api"
	"github.com/coffer-dbaas/coffer/services/gateway"
	"github.com/coffer-dbaas/coffer/services/taskmanager"
)

// Config is the whole configuration file. Sections of programs that run alone are read by those programs from the same
// file.
type Config struct {
	Serve        DoorConfig          `koanf:"serve"`
	API          api.Config          `koanf:"api"`
	Gateway      gateway.Config      `koanf:"gateway"`
	Taskmanager  taskmanager.Config  `koanf:"taskmanager"`
	NATS         bus.Config          `koanf:"nats"`
	EmbeddedNATS embedded.Config     `koanf:"embedded_nats"`
	Log          observe.LogConfig   `koanf:"log"`
	Trace        observe.TraceConfig `koanf:"trace"`
}

// DoorConfig is what `coffer serve` itself is told.
type DoorConfig struct {
	// DataDir is the folder in which everything lives. Default ./coffer-data.
	DataDir string `koanf:"data_dir"`
	// Listen is the address of the REST API. Default 127.0.0.1:8779.
	Listen string `koanf:"listen"`
	// GRPCListen is the address of the public gRPC services; empty for none. Default 127.0.0.1:8780.
	GRPCListen string `koanf:"grpc_listen"`
	// PublicURL is where clients reach the REST API. Default http://<listen>, or https:// with a certificate.
	PublicURL string `koanf:"public_url"`
	// CertificateFile and KeyFile make both listeners speak TLS.
	CertificateFile string `koanf:"certificate_file"`
	KeyFile         string `koanf:"key_file"`
	// Insecure allows listeners without TLS on addresses that are not loopback: behind a proxy that speaks it.
	Insecure bool `koanf:"insecure"`
	// KeepServers leaves the databases serving when the control plane stops, for an update. Default: they stop with it.
	KeepServers bool `koanf:"keep_servers"`
	// OpenMetrics answers /metrics to everybody. Default: to this machine alone.
	OpenMetrics bool `koanf:"open_metrics"`
}

// localVolumeLimit is the largest volume in GiB where the disk is one's own; Trove's default of 10 is for clouds.
const localVolumeLimit = 300

// DefaultConfig is what applies where nothing is set.
func DefaultConfig() Config {
	c := Config{
		Serve: DoorConfig{DataDir: "./coffer-data", Listen: "127.0.0.1:8779", GRPCListen: "127.0.0.1:8780"},
		API:   api.DefaultConfig(), Gateway: gateway.DefaultConfig(), Taskmanager: taskmanager.DefaultConfig(),
		NATS: bus.Config{Replicas: 1}, Log: observe.DefaultLogConfig(),
	}
	c.API.MaxAcceptedVolumeSize = localVolumeLimit
	c.API.Quota.Volumes = localVolumeLimit
	return c
}

// Validate joins all that is wrong, each beginning with its key.
func (c Config) Validate() error {
	c, err := c.completed(c.Serve.Listen)
	if err != nil {
		return err
	}
	return errors.Join(
		config.Section("serve", c.Serve.validate()),
		config.Section("api", c.API.Validate()),
		config.Section("gateway", c.Gateway.Validate()),
		config.Section("taskmanager", c.Taskmanager.Validate()),
		config.Section("embedded_nats", c.EmbeddedNATS.Validate()),
		config.Section("log", c.Log.Validate()),
	)
}

func (c DoorConfig) validate() error {
	var faults []error
	for key, address := range map[string]string{"listen": c.Listen, "grpc_listen": c.GRPCListen} {
		if key == "grpc_listen" && address == "" {
			continue
		}
		host, _, err := net.SplitHostPort(address)
		switch {
		case err != nil:
			faults = append(faults, fmt.Errorf("%s: must be host:port, is %q", key, address))
		case !isLoopback(host) && c.CertificateFile == "" && !c.Insecure:
			faults = append(faults, fmt.Errorf("%s: %s is no loopback address: set certificate_file and key_file, "+
				"or insecure if something in front speaks TLS", key, address))
		}
	}
	if (c.CertificateFile == "") != (c.KeyFile == "") {
		faults = append(faults, errors.New("certificate_file: goes together with key_file"))
	}
	return errors.Join(faults...)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// completed fills in what follows from the data folder and from the address that is really listened on.
func (c Config) completed(listening string) (Config, error) {
	dataDir, err := filepath.Abs(c.Serve.DataDir)
	if err != nil {
		return Config{}, fmt.Errorf("find the data folder: %w", err)
	}
	c.Serve.DataDir = dataDir
	scheme := "http"
	if c.Serve.CertificateFile != "" {
		scheme = "https"
	}
	fill(&c.Serve.PublicURL, scheme+"://"+listening)
	fill(&c.API.PublicURL, c.Serve.PublicURL)
	if c.API.State.Driver == "" {
		c.API.State.Driver, c.API.State.DSN = "sqlite", filepath.Join(dataDir, "coffer.db")
	}
	fill(&c.API.MasterKeyFile, filepath.Join(dataDir, "master.key"))
	fill(&c.API.CADir, filepath.Join(dataDir, "ca"))
	fill(&c.API.Identity.Builtin.UsersFile, filepath.Join(dataDir, "users.yaml"))
	fill(&c.Gateway.PublicURL, c.Serve.PublicURL)
	if c.hasUsers() {
		fill(&c.Gateway.IdentityURL, c.Serve.PublicURL+identityMount+"/v3")
	}
	fill(&c.Taskmanager.Name, "serve")
	fill(&c.Taskmanager.Local.DataDir, dataDir)
	c.API.Identity.Builtin.Mount = identityMount
	// What the gateway holds users to is what the api tells them.
	c.API.RateLimits = api.RateLimitConfig(c.Gateway.RateLimits)
	c.Taskmanager.StopServers = !c.Serve.KeepServers
	c.EmbeddedNATS.Dir = filepath.Join(dataDir, "nats")
	return c, nil
}

// hasUsers says whether the control plane has users of its own, not those of a Keystone elsewhere.
func (c Config) hasUsers() bool { return c.API.Identity.Provider != api.IdentityKeystone }

// Completed shows what applies before anything is started; a free port is not drawn yet.
func (c Config) Completed() (Config, error) { return c.completed(c.Serve.Listen) }

func fill(setting *string, value string) {
	if *setting == "" {
		*setting = value
	}
}
