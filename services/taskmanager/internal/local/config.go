package local

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"time"
)

// Config sets the local provider up.
type Config struct {
	// DataDir is the folder in which everything lives, absolute. Several taskmanagers of one host may share it.
	DataDir string `koanf:"data_dir"`
	// GuestAgent is the path of the program coffer-guestagent. Empty means: beside the running program.
	GuestAgent string `koanf:"guestagent"`
	// EnginePrefix is the folder under which this host's own database servers are looked for, as usr/sbin and the like.
	// Empty means: where packages put them.
	EnginePrefix string `koanf:"engine_prefix"`
	// EngineRoots are root folders, each the file system of a distribution (docs/engine-roots.md),
	// whose database servers are offered beside those of the host, so that several versions stand side by side. Of a
	// series that is in several places the host's is taken, or else that of the first folder. Needs root.
	EngineRoots []string `koanf:"engine_roots"`
	// AddressRange is the /20 of 127.0.0.0/8 from which servers get their addresses. Empty means: the data folder
	// draws one at its first start, and keeps it.
	AddressRange string `koanf:"address_range"`
	// UIDBase is the first of the numeric users of databases, when running as root. A server's user is this number
	// plus the lower 24 bits of its address, so that no two servers of a host share one. They need no passwd entry.
	UIDBase int `koanf:"uid_base"`
	// BoundMemory puts each server in a control group that holds it to its flavor's memory, where the host lets us.
	BoundMemory bool `koanf:"bound_memory"`
	// StopLimit is how long a server may take to stop in order before it is killed.
	StopLimit time.Duration `koanf:"stop_limit"`
	// TemplateLimit is how long making a server waits for the template of its data directory.
	TemplateLimit time.Duration `koanf:"template_limit"`
	// Region is the region that the catalogue names.
	Region string `koanf:"region"`
	// Flavors are the sizes that are offered.
	Flavors []Flavor `koanf:"flavors"`
}

// Flavor is a size of server.
type Flavor struct {
	// ID is a whole number: some clients read it as one.
	ID   string `koanf:"id"`
	Name string `koanf:"name"`
	// RAM is in MiB.
	RAM   int `koanf:"ram"`
	VCPUs int `koanf:"vcpus"`
}

// DefaultConfig is what applies where nothing is set; DataDir has no default.
func DefaultConfig() Config {
	return Config{
		UIDBase:       200000,
		BoundMemory:   true,
		StopLimit:     time.Minute,
		TemplateLimit: time.Minute,
		Region:        "RegionOne",
		Flavors: []Flavor{
			{ID: "1", Name: "db.tiny", RAM: 512, VCPUs: 1},
			{ID: "2", Name: "db.small", RAM: 1024, VCPUs: 1},
			{ID: "3", Name: "db.medium", RAM: 2048, VCPUs: 2},
			{ID: "4", Name: "db.large", RAM: 4096, VCPUs: 2},
		},
	}
}

// Validate says all that is wrong.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !filepath.IsAbs(c.DataDir) {
		fault("data_dir: must be an absolute path, is %q", c.DataDir)
	}
	if c.GuestAgent != "" && !filepath.IsAbs(c.GuestAgent) {
		fault("guestagent: must be an absolute path, is %q", c.GuestAgent)
	}
	for i, root := range c.EngineRoots {
		if !filepath.IsAbs(root) || filepath.Clean(root) == "/" {
			fault("engine_roots[%d]: must be an absolute path of a folder other than /, is %q", i, root)
		}
	}
	if c.AddressRange != "" {
		if err := checkRange(c.AddressRange); err != nil {
			fault("address_range: %w", err)
		}
	}
	if c.UIDBase < 1000 || c.UIDBase > maxUIDBase {
		fault("uid_base: must be between 1000 and %d, is %d", maxUIDBase, c.UIDBase)
	}
	if c.StopLimit <= 0 {
		fault("stop_limit: must be more than 0, is %s", c.StopLimit)
	}
	if c.TemplateLimit <= 0 {
		fault("template_limit: must be more than 0, is %s", c.TemplateLimit)
	}
	if c.Region == "" {
		fault("region: must not be empty")
	}
	return errors.Join(append(faults, validateFlavors(c.Flavors)...)...)
}

// maxUIDBase leaves room for 24 bits below the highest user id.
const maxUIDBase = 1<<32 - 1<<25

func validateFlavors(flavors []Flavor) []error {
	var faults []error
	fault := func(i int, format string, args ...any) {
		faults = append(faults, fmt.Errorf("flavors[%d]: %w", i, fmt.Errorf(format, args...)))
	}
	if len(flavors) == 0 {
		faults = append(faults, errors.New("flavors: there must be at least one"))
	}
	ids, names := map[string]bool{}, map[string]bool{}
	for i, f := range flavors {
		if n, err := strconv.Atoi(f.ID); err != nil || n < 1 {
			fault(i, "id must be a whole number above 0, is %q", f.ID)
		}
		if f.Name == "" {
			fault(i, "name must not be empty")
		}
		if f.RAM < 256 {
			fault(i, "ram must be at least 256 (MiB), is %d", f.RAM)
		}
		if f.VCPUs < 1 {
			fault(i, "vcpus must be at least 1, is %d", f.VCPUs)
		}
		if ids[f.ID] {
			fault(i, "id %q is used twice", f.ID)
		}
		if names[f.Name] {
			fault(i, "name %q is used twice", f.Name)
		}
		ids[f.ID], names[f.Name] = true, true
	}
	return faults
}

var (
	loopback = netip.MustParsePrefix("127.0.0.0/8")
	// hosts is where everybody else's loopback services are.
	hosts = netip.MustParsePrefix("127.0.0.0/16")
)

func checkRange(s string) error {
	r, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return fmt.Errorf("%q is not a range such as 127.20.16.0/20", s)
	case r.Bits() != rangeBits || r != r.Masked():
		return fmt.Errorf("%s must be a whole /%d such as 127.20.16.0/20", s, rangeBits)
	case !loopback.Contains(r.Addr()) || hosts.Contains(r.Addr()):
		return fmt.Errorf("%s must lie within %s and outside of %s", s, loopback, hosts)
	}
	return nil
}
