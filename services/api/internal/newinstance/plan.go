package newinstance

import (
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// Limits are the operator's.
type Limits struct {
	// MaxVolumeSize is in GiB.
	MaxVolumeSize int
}

// Plan is a create call with all names resolved.
type Plan struct {
	Name             string
	Version          store.DatastoreVersion
	Flavor           *journalv1.CatalogFlavor
	VolumeSize       int
	VolumeType       string
	AvailabilityZone string
	Region           string
	Locality         string
	NIC              *commandv1.NIC
	// Access is nil when the call said nothing of it.
	Access    *store.Access
	Databases []*commandv1.Database
	Users     []*commandv1.User
	// Passwords are by user, "name@host".
	Passwords map[string]string
}

// checker fills a plan, one aspect at a time.
type checker struct {
	body    *instancev1.NewInstance
	catalog *catalog.Catalog
	limits  Limits
	plan    Plan
}

// Check makes the plan. The first fault found is the answer: errs.Invalid, NotFound or OverQuota, as Trove has it.
func Check(body *instancev1.NewInstance, c *catalog.Catalog, limits Limits) (Plan, error) {
	k := &checker{body: body, catalog: c, limits: limits}
	for _, check := range []func() error{
		k.name, k.replicaCount, k.flavor, k.datastore, k.volume,
		k.databases, k.users,
		k.nic, k.availabilityZone, k.region, k.locality, k.access,
		k.configuration, k.restorePoint, k.modules,
	} {
		if err := check(); err != nil {
			return Plan{}, err
		}
	}
	return k.plan, nil
}

// Command is the plan as the order to carry it out. It holds no password.
func (p Plan) Command() *commandv1.CreateInstance {
	return &commandv1.CreateInstance{
		DatastoreVersion: VersionOrder(p.Version),
		Flavor:           FlavorOrder(p.Flavor),
		VolumeSize:       int32(p.VolumeSize), //nolint:gosec // checked against the maximum
		VolumeType:       p.VolumeType,
		AvailabilityZone: p.AvailabilityZone,
		Region:           p.Region,
		Locality:         p.Locality,
		Nic:              p.NIC,
		Databases:        p.Databases,
		Users:            p.Users,
		Access:           AccessOrder(p.Access),
	}
}

// ReplicaCommand is the plan of a replica as the order to make it.
func (p Plan) ReplicaCommand(sourceID string) *commandv1.CreateReplica {
	return &commandv1.CreateReplica{
		SourceId:         sourceID,
		DatastoreVersion: VersionOrder(p.Version),
		Flavor:           FlavorOrder(p.Flavor),
		VolumeSize:       int32(p.VolumeSize), //nolint:gosec // the source's
		VolumeType:       p.VolumeType,
		AvailabilityZone: p.AvailabilityZone,
		Region:           p.Region,
		Locality:         p.Locality,
		Nic:              p.NIC,
		Access:           AccessOrder(p.Access),
	}
}

// VersionOrder is a datastore version as commands carry it.
func VersionOrder(v store.DatastoreVersion) *commandv1.DatastoreVersion {
	return &commandv1.DatastoreVersion{Id: v.ID, Manager: v.Manager, Name: v.Name, Version: v.Version}
}

// AccessOrder is an access as commands carry it; nil when there is none.
func AccessOrder(a *store.Access) *commandv1.Access {
	if a == nil {
		return nil
	}
	return &commandv1.Access{IsPublic: a.IsPublic != nil && *a.IsPublic, AllowedCidrs: a.AllowedCIDRs}
}
