package taskmanager

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/config"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/local"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/openstack"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/sweep"
)

// The providers.
const (
	// ProviderLocal makes servers of processes on this host.
	ProviderLocal = "local"
	// ProviderOpenStack makes servers in an OpenStack cloud.
	ProviderOpenStack = openstack.Name
)

// LocalConfig sets the local provider up.
type LocalConfig = local.Config

// OpenStackConfig sets the provider of an OpenStack cloud up.
type OpenStackConfig = openstack.Config

// Config sets a taskmanager up.
type Config struct {
	// Name tells taskmanagers apart; it is part of the certificate's name. Two that run at the same time must differ,
	// and one that is started again should keep its name: then it takes its own tasks back without waiting for their
	// leases to run out.
	Name string `koanf:"name"`
	// Provider is which cloud servers are made in: local or openstack.
	Provider string `koanf:"provider"`
	// StopServers makes a local provider stop its servers in order when the taskmanager ends, like a host that shuts
	// down; the next start brings them back. Without it they go on serving.
	StopServers bool `koanf:"stop_servers"`
	// KeepFailed leaves what a failed create has made, to be looked at, until the instance is deleted.
	KeepFailed bool `koanf:"keep_failed"`
	// BootLimit is how long a new server may take from its start until its agent has enrolled.
	BootLimit time.Duration `koanf:"boot_limit"`
	// CatchUpLimit is how long a promotion waits for its replica to be level with the source, which goes on working, until
	// it gives up and leaves all as it is.
	CatchUpLimit time.Duration `koanf:"catch_up_limit"`
	// Monitor sets how guests are watched.
	Monitor MonitorConfig `koanf:"monitor"`
	// QuickTasks is how many quick tasks are worked at once.
	QuickTasks int `koanf:"quick_tasks"`
	// SlowTasks is how many slow tasks are worked at once.
	SlowTasks int `koanf:"slow_tasks"`
	// Grace is how long an ordered end waits for running steps to come to their border.
	Grace time.Duration `koanf:"grace"`
	// API is where one that runs alone finds the api.
	API APIConfig `koanf:"api"`
	// Operations is the address of /metrics and /healthz of one that runs alone; empty for none.
	Operations string `koanf:"operations"`
	// Local sets the local provider up.
	Local LocalConfig `koanf:"local"`
	// OpenStack sets the provider of an OpenStack cloud up.
	OpenStack OpenStackConfig `koanf:"openstack"`
	// Sweep says what becomes of what a cloud holds for nobody.
	Sweep sweep.Config `koanf:"sweep"`
}

// MonitorConfig sets how guests are watched.
type MonitorConfig struct {
	// SignOfLife is how often a guest whose state does not change is heard of.
	SignOfLife time.Duration `koanf:"sign_of_life"`
	// Silence is how long a guest may say nothing until that is reported.
	Silence time.Duration `koanf:"silence"`
}

// DefaultConfig is what applies where nothing is set; Name and Local.DataDir have no defaults.
func DefaultConfig() Config {
	return Config{
		Provider: ProviderLocal, BootLimit: 10 * time.Minute, CatchUpLimit: 30 * time.Minute,
		Monitor: MonitorConfig{SignOfLife: 30 * time.Second, Silence: 75 * time.Second}, QuickTasks: 64, SlowTasks: 16, Grace: 10 * time.Second,
		API: APIConfig{Address: "127.0.0.1:8782"}, Operations: "127.0.0.1:8783",
		Local: local.DefaultConfig(), OpenStack: openstack.DefaultConfig(), Sweep: sweep.DefaultConfig(),
	}
}

var names = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$`)

// Validate says all that is wrong.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !names.MatchString(c.Name) {
		fault("name: must be 1 to 63 letters, digits, dots, dashes and underscores, is %q", c.Name)
	}
	if c.QuickTasks < 1 {
		fault("quick_tasks: must be at least 1, is %d", c.QuickTasks)
	}
	if c.SlowTasks < 1 {
		fault("slow_tasks: must be at least 1, is %d", c.SlowTasks)
	}
	if c.Monitor.SignOfLife <= 0 || c.Monitor.Silence < c.Monitor.SignOfLife {
		fault("monitor: silence must not be shorter than sign_of_life, which must be more than 0; they are %s and %s",
			c.Monitor.Silence, c.Monitor.SignOfLife)
	}
	if c.CatchUpLimit <= 0 {
		fault("catch_up_limit: must be more than 0, is %s", c.CatchUpLimit)
	}
	if c.BootLimit <= 0 {
		fault("boot_limit: must be more than 0, is %s", c.BootLimit)
	}
	if c.Grace < 0 {
		fault("grace: must not be negative, is %s", c.Grace)
	}
	faults = append(faults, config.Section("sweep", c.Sweep.Validate()))
	switch c.Provider {
	case ProviderLocal:
		faults = append(faults, config.Section("local", c.Local.Validate()))
	case ProviderOpenStack:
		faults = append(faults, config.Section("openstack", c.OpenStack.Validate()))
	default:
		fault("provider: must be %s or %s, is %q", ProviderLocal, ProviderOpenStack, c.Provider)
	}
	return errors.Join(faults...)
}
