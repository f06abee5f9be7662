package store

import (
	"time"

	"github.com/coffer-dbaas/coffer/pkg/status"
)

// Instance is an instance's row.
type Instance struct {
	ID                 string
	ProjectID          string
	Name               string
	DatastoreVersionID string
	FlavorID           string
	// RAM is the flavor's memory in MiB at the time it was accepted: what the quota was charged.
	RAM int
	// VolumeSize is in GiB.
	VolumeSize       int
	VolumeType       string
	Region           string
	AvailabilityZone string
	Locality         string
	// Access is nil when none was given.
	Access *Access

	TaskStatus    status.Task
	ServerStatus  status.Server
	ServiceStatus status.Service
	// ServiceStatusUpdated is when the last report was received, by the api's clock.
	ServiceStatusUpdated time.Time
	// Silent says that the guest's monitor has lost it since then.
	Silent           bool
	VolumeUsedBytes  uint64
	VolumeTotalBytes uint64

	ServerID     string
	VolumeID     string
	GuestAddress string
	Addresses    []Address

	// Fault is nil when none is stored.
	Fault *Fault

	// ReplicaOf is the id of the source that the instance follows; empty when it follows none.
	ReplicaOf string
	// Fenced says that it was a source and was ejected: its server must never run again.
	Fenced bool
	// EverActive says that its creation succeeded once, whatever became of it since.
	EverActive bool
	// HeldBy is the task of another instance that holds this one as a member of its set; empty when none does.
	HeldBy string

	// Epoch is the counter from which runs draw theirs.
	Epoch int64

	Created time.Time
	Updated time.Time
	// Deleted is nil while the instance exists.
	Deleted *time.Time
}

// Silence is how long ago the guest was last heard; 0 when it never was. Signs of life are written every 30 s only, so a
// living guest may seem to be silent for as long.
func (i Instance) Silence(now time.Time) time.Duration {
	if i.ServiceStatusUpdated.IsZero() {
		return 0
	}
	return max(now.Sub(i.ServiceStatusUpdated), 0)
}

// Access is what a create call said of exposure.
type Access struct {
	IsPublic     *bool    `json:"is_public,omitempty"`
	AllowedCIDRs []string `json:"allowed_cidrs,omitempty"`
}

// Address is one address of an instance's database.
type Address struct {
	Address string `json:"address"`
	// Type is private or public.
	Type      string `json:"type"`
	NetworkID string `json:"network_id,omitempty"`
}

// Fault is the failure that users see on an instance.
type Fault struct {
	Message string
	Details string
	Created time.Time
}

// InstanceFilter narrows a list of instances over all projects; empty fields do not.
type InstanceFilter struct {
	ProjectID string
	// Deleted says that deleted instances, or living ones, are wanted alone; nil wants both.
	Deleted *bool
	// NeverActive wants those alone whose creation never succeeded.
	NeverActive bool
}
