package api

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/config"
	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity/builtin"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity/keystone"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/gormstore"
)

// StateConfig says which database keeps the state.
type StateConfig = gormstore.Config

// Who says whom a token stands for.
const (
	// IdentityBuiltin is the subset of Keystone in the api itself, over users who stand in a file.
	IdentityBuiltin = "builtin"
	// IdentityKeystone is a Keystone elsewhere.
	IdentityKeystone = "keystone"
)

// IdentityConfig says who says whom a token stands for.
type IdentityConfig struct {
	// Provider is builtin or keystone. Default builtin.
	Provider string `koanf:"provider"`
	// Builtin sets the built-in one up.
	Builtin builtin.Config `koanf:",squash"`
	// Keystone says which one is asked otherwise.
	Keystone keystone.Config `koanf:"keystone"`
}

// Validate joins all that is wrong with the provider in use.
func (c IdentityConfig) Validate() error {
	switch c.Provider {
	case IdentityBuiltin:
		return c.Builtin.Validate()
	case IdentityKeystone:
		return config.Section("keystone", c.Keystone.Validate())
	default:
		return fmt.Errorf("provider: must be %s or %s, is %q", IdentityBuiltin, IdentityKeystone, c.Provider)
	}
}

// Config sets an api up.
type Config struct {
	// Name tells apis that run alone apart; it is part of their certificates' names. Default: the host's name.
	Name string `koanf:"name"`
	// PublicURL is where clients reach the REST API, without a slash at its end. Links in answers begin with it.
	PublicURL string `koanf:"public_url"`
	// State is the database that keeps everything.
	State StateConfig `koanf:"state"`
	// MasterKeyFile holds the key under which passwords are sealed. It is made when missing. All apis of one state
	// share it.
	MasterKeyFile string `koanf:"master_key_file"`
	// CADir is the folder of the certificate authority that names all parts. It is made when missing. All apis of one
	// state share it.
	CADir string `koanf:"ca_dir"`
	// Identity says who says whom a token stands for.
	Identity IdentityConfig `koanf:"identity"`
	// PolicyFile replaces rules of the policy; empty for the default one.
	PolicyFile string `koanf:"policy_file"`

	// InstancesPageSize is how many instances a page has when the caller does not say, and at most.
	InstancesPageSize int `koanf:"instances_page_size"`
	// TasksPageSize is the same for tasks.
	TasksPageSize int `koanf:"tasks_page_size"`
	// MaxAcceptedVolumeSize is the largest volume that may be asked for, in GiB.
	MaxAcceptedVolumeSize int `koanf:"max_accepted_volume_size"`
	// EjectSilence is how long the guest of a replica source must have been silent until the source may be ejected, unless
	// the provider knows its server to be down.
	EjectSilence time.Duration `koanf:"eject_silence"`
	// Quota is what each project may have.
	Quota QuotaConfig `koanf:"quota"`
	// RateLimits are what gateways hold users to; they are told in the limits.
	RateLimits RateLimitConfig `koanf:"rate_limits"`
	// WatchersPerProject is how many streams of events a project may have open at one api.
	WatchersPerProject int `koanf:"watchers_per_project"`

	// Lease is how long a taskmanager holds a task without renewing it.
	Lease time.Duration `koanf:"lease"`
	// MaxClaims is how many claims of a task in a row may bring no progress before it fails.
	MaxClaims int `koanf:"max_claims"`
	// SweepInterval is how often tasks are looked for that are due and that nobody works on, and messages that another
	// api committed and did not live to send.
	SweepInterval time.Duration `koanf:"sweep_interval"`
	// MonitorLease is how long a taskmanager that says nothing keeps its share of the guests to watch.
	MonitorLease time.Duration `koanf:"monitor_lease"`

	// Listen says where an api that runs alone is reached.
	Listen ListenConfig `koanf:"listen"`
}

// QuotaConfig is what a project may have, unless it has a limit of its own; -1 is unlimited.
type QuotaConfig struct {
	Instances int `koanf:"instances"`
	// RAM is in MiB.
	RAM int `koanf:"ram"`
	// Volumes is in GiB.
	Volumes int `koanf:"volumes"`
	Backups int `koanf:"backups"`
}

// RateLimitConfig is in requests per minute and project; 0 is unlimited.
type RateLimitConfig struct {
	Post   int `koanf:"post"`
	Put    int `koanf:"put"`
	Delete int `koanf:"delete"`
	Get    int `koanf:"get"`
}

// DefaultConfig has Trove's defaults where Trove has one. PublicURL, State, the files and folders have none.
func DefaultConfig() Config {
	return Config{
		Identity: IdentityConfig{
			Provider: IdentityBuiltin, Builtin: builtin.DefaultConfig(), Keystone: keystone.DefaultConfig(),
		},
		InstancesPageSize:     20,
		TasksPageSize:         20,
		MaxAcceptedVolumeSize: 10,
		EjectSilence:          status.HeartbeatExpiry,
		Quota:                 QuotaConfig{Instances: 10, RAM: -1, Volumes: 40, Backups: 50},
		WatchersPerProject:    32,
		Lease:                 15 * time.Second,
		MaxClaims:             5,
		SweepInterval:         5 * time.Second,
		MonitorLease:          15 * time.Second,
		Listen:                defaultListen(),
	}
}

const (
	maxPageSize = 1000
	// maxNumber bounds what is told as a number of 32 bits.
	maxNumber = 1<<31 - 1
	minLease  = 100 * time.Millisecond
	minSweep  = 10 * time.Millisecond
)

// Validate joins all that is wrong, each beginning with the setting's name and a colon.
func (c Config) Validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(!validPublicURL(c.PublicURL), "public_url: must be an http or https URL without a slash at its end, is %q", c.PublicURL)
	faults = append(faults, config.Section("state", c.State.Validate()))
	fault(c.MasterKeyFile == "", "master_key_file: must name a file")
	fault(c.CADir == "", "ca_dir: must name a folder")
	identity := c.Identity
	identity.Builtin.PublicURL = c.PublicURL
	if validPublicURL(c.PublicURL) {
		faults = append(faults, config.Section("identity", identity.Validate()))
	}
	for name, size := range map[string]int{
		"instances_page_size": c.InstancesPageSize, "tasks_page_size": c.TasksPageSize,
	} {
		fault(size < 1 || size > maxPageSize, "%s: must be from 1 to %d, is %d", name, maxPageSize, size)
	}
	fault(c.MaxAcceptedVolumeSize < 1 || c.MaxAcceptedVolumeSize > maxNumber,
		"max_accepted_volume_size: must be from 1 to %d, is %d", maxNumber, c.MaxAcceptedVolumeSize)
	for resource, limit := range c.Quota.limits() {
		fault(limit < -1 || limit > maxNumber, "quota.%s: must be from -1 to %d, is %d", resource, maxNumber, limit)
	}
	for verb, rate := range c.RateLimits.verbs() {
		fault(rate < 0 || rate > maxNumber, "rate_limits.%s: must be from 0 to %d, is %d",
			strings.ToLower(verb), maxNumber, rate)
	}
	fault(c.WatchersPerProject < 1, "watchers_per_project: must be at least 1, is %d", c.WatchersPerProject)
	fault(c.EjectSilence < 0, "eject_silence: must not be negative, is %s", c.EjectSilence)
	fault(c.Lease < minLease, "lease: must be at least %s, is %s", minLease, c.Lease)
	fault(c.MaxClaims < 1, "max_claims: must be at least 1, is %d", c.MaxClaims)
	fault(c.SweepInterval < minSweep, "sweep_interval: must be at least %s, is %s", minSweep, c.SweepInterval)
	fault(c.MonitorLease < minLease, "monitor_lease: must be at least %s, is %s", minLease, c.MonitorLease)
	faults = append(faults, config.Section("listen", c.Listen.Validate()))
	fault(c.Identity.Provider == IdentityKeystone && c.Listen.Identity != "",
		"listen.identity: must be empty with identity.provider %s: there is nothing to listen for", IdentityKeystone)
	return errors.Join(faults...)
}

func validPublicURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && !strings.HasSuffix(text, "/")
}

func (q QuotaConfig) limits() map[store.Resource]int {
	return map[store.Resource]int{
		store.ResourceInstances: q.Instances, store.ResourceRAM: q.RAM,
		store.ResourceVolumes: q.Volumes, store.ResourceBackups: q.Backups,
	}
}

func (r RateLimitConfig) verbs() map[string]int {
	return map[string]int{"POST": r.Post, "PUT": r.Put, "DELETE": r.Delete, "GET": r.Get}
}
