package step

import (
	"context"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// Provider is a cloud: everything a database needs apart from its engine.
//
// What a provider holds for an instance is found by the instance's id alone, and every call may be repeated: a call
// that makes something looks first for what an interrupted attempt left behind, and a call that removes something
// succeeds when nothing is there. Errors are of pkg/errs: Unavailable is tried again, any other kind is final, and
// its sentence is shown to the user as the cause of the task's failure.
type Provider interface {
	Servers
	Volumes
	Ports
	// Catalog describes the provider: what it offers and what it can do.
	Catalog(ctx context.Context) (*journalv1.RegisterProviderRequest, error)
	// Events tells when a server goes down or comes up without having been asked through this interface. It has one
	// receiver, and is never closed. Reading it is optional: a provider drops what nobody takes.
	Events() <-chan ServerEvent
	// Run looks after what exists until ctx ends: it finds the servers that outlived the former run, brings back
	// those that shall run, and watches them. It returns when everything it started has been waited for.
	Run(ctx context.Context) error
}

// Servers makes and removes the machines in which databases run.
type Servers interface {
	// CreateServer makes the instance's server and starts it, or answers with the one that is already there, started
	// again if it was down. The server's agent may not listen yet when it returns.
	CreateServer(ctx context.Context, spec ServerSpec) (Server, error)
	// Server answers with the instance's server as it is now; NotFound when there is none.
	Server(ctx context.Context, instanceID string) (Server, error)
	// DeleteServer removes the instance's server with all its processes, and waits until they are gone.
	DeleteServer(ctx context.Context, instanceID string) error
}

// Volumes makes and removes the disks on which data lie.
type Volumes interface {
	// CreateVolume makes the instance's volume, or answers with the one that is already there.
	CreateVolume(ctx context.Context, spec VolumeSpec) (Volume, error)
	// DeleteVolume destroys the instance's volume and all data on it. The server must be gone.
	DeleteVolume(ctx context.Context, instanceID string) error
}

// Ports gives databases their addresses.
type Ports interface {
	// AllocateAddress reserves an address for the instance, or answers with the one it already has.
	AllocateAddress(ctx context.Context, spec AddressSpec) (Address, error)
	// ReleaseAddress gives the instance's address back. The server must be gone.
	ReleaseAddress(ctx context.Context, instanceID string) error
}

// ServerSpec is what a server shall be.
type ServerSpec struct {
	InstanceID string
	// Name is the instance's name, for people.
	Name             string
	Flavor           Flavor
	AvailabilityZone string
	Address          Address
	Volume           Volume
	Bootstrap        Bootstrap
	// Manager is Trove's datastore manager: mariadb, mysql or postgresql.
	Manager string
	// Version is the exact number, such as 10.11.14.
	Version string
}

// Flavor is the size of a server.
type Flavor struct {
	ID   string
	Name string
	// RAM is in MiB.
	RAM   int
	VCPUs int
	// Disk is the root disk in GiB.
	Disk int
}

// Bootstrap is what a new server's agent needs to enrol, once. KeyPEM is a secret and must not be logged.
type Bootstrap struct {
	CAPEM          []byte
	CertificatePEM []byte
	KeyPEM         []byte
}

// Server is an instance's server as the provider knows it.
type Server struct {
	ID         string
	InstanceID string
	// Status is compute's word: BUILD, ACTIVE, SHUTDOWN, ERROR.
	Status string
	// Fault says why the server is down, where the provider knows; no secrets.
	Fault string
	// GuestAddress is where the server's agent is dialled, host:port.
	GuestAddress string
}

// VolumeSpec is what a volume shall be.
type VolumeSpec struct {
	InstanceID string
	// Name is the instance's name, for people.
	Name string
	// Size is in GiB.
	Size             int
	Type             string
	AvailabilityZone string
}

// Volume is an instance's volume.
type Volume struct {
	ID         string
	InstanceID string
	// Size is in GiB.
	Size int
}

// AddressSpec says where an address shall be reserved; empty fields leave the choice to the provider.
type AddressSpec struct {
	InstanceID string
	NetworkID  string
	SubnetID   string
	IPAddress  string
}

// Address is where an instance's database listens.
type Address struct {
	ID        string
	IP        string
	NetworkID string
}

// ServerEvent says that a server went down or came up by itself.
type ServerEvent struct {
	InstanceID string
	// Status is compute's word for the new state.
	Status string
}
