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

// Servers are the machines in which databases run. A call that leaves a server running answers with it as it is then;
// its agent may not listen yet.
type Servers interface {
	ServerMaker
	ServerPower
	ServerSize
	// MigrateServer moves the instance's server to another host, with its volume and its address; empty leaves the choice
	// to the provider. Invalid when the provider cannot.
	MigrateServer(ctx context.Context, instanceID, host string) (Server, error)
}

// ServerMaker makes, finds and removes servers.
type ServerMaker interface {
	// CreateServer makes the instance's server and starts it, or answers with the one that is already there, started
	// again if it was down. One that StopServer stopped is left so, and WrongState.
	CreateServer(ctx context.Context, spec ServerSpec) (Server, error)
	// RebuildServer makes the server anew for another version or from another image, and keeps its volume and its address.
	// Its agent may have lost its identity: it enrols with the new bootstrap, or has kept what it had.
	RebuildServer(ctx context.Context, spec ServerSpec) (Server, error)
	// Server answers with the instance's server as it is now; NotFound when there is none.
	Server(ctx context.Context, instanceID string) (Server, error)
	// DeleteServer removes the instance's server with all its processes, and waits until they are gone.
	DeleteServer(ctx context.Context, instanceID string) error
}

// ServerPower switches servers.
type ServerPower interface {
	// StopServer ends the server at once, whatever it is doing, as pulling its plug would, and returns when nothing of it
	// runs. It never runs again by itself, over every restart of the provider and of its hosts, until StartServer: it is
	// how a source is fenced. It succeeds when there is no server.
	StopServer(ctx context.Context, instanceID string) error
	// StartServer starts the server if it is down, also one that StopServer stopped.
	StartServer(ctx context.Context, instanceID string) (Server, error)
	// RebootServer stops the server, in order or, when hard, at once, and starts it again; one that is down is started. One
	// that StopServer stopped is left so, and WrongState.
	RebootServer(ctx context.Context, instanceID string, hard bool) (Server, error)
}

// ServerSize changes the size of servers, in two steps.
type ServerSize interface {
	// ResizeServer restarts the server with another flavor. The former one is kept in mind until it is confirmed.
	ResizeServer(ctx context.Context, instanceID string, flavor Flavor) (Server, error)
	// ConfirmResize forgets the former flavor. It succeeds when there is nothing to confirm.
	ConfirmResize(ctx context.Context, instanceID string) error
	// RevertResize restarts the server with its former flavor. It does nothing when there is nothing to revert.
	RevertResize(ctx context.Context, instanceID string) (Server, error)
}

// Volumes makes and removes the disks on which data lie.
type Volumes interface {
	// CreateVolume makes the instance's volume, or answers with the one that is already there.
	CreateVolume(ctx context.Context, spec VolumeSpec) (Volume, error)
	// ExtendVolume makes the volume larger while it is in use; the guest then fills it with its file system. A volume that
	// has the size already is answered; a smaller size is Invalid.
	ExtendVolume(ctx context.Context, instanceID string, size int) (Volume, error)
	// DeleteVolume destroys the instance's volume and all data on it. The server must be gone.
	DeleteVolume(ctx context.Context, instanceID string) error
}

// Ports gives databases their addresses, and says who may reach them.
type Ports interface {
	// AllocateAddress reserves an address for the instance, or answers with the one it already has.
	AllocateAddress(ctx context.Context, spec AddressSpec) (Address, error)
	// UpdateAccess makes the instance's database reachable for exactly these, and answers with its public addresses.
	// Invalid when the provider cannot.
	UpdateAccess(ctx context.Context, instanceID string, access Access) (public []Address, err error)
	// ReleaseAddress gives the instance's address back. The server must be gone.
	ReleaseAddress(ctx context.Context, instanceID string) error
}

// Owner says whose it is and which task makes it, where a cloud can note that.
type Owner struct {
	ProjectID string
	TaskID    string
}

// ServerSpec is what a server shall be.
type ServerSpec struct {
	InstanceID string
	Owner      Owner
	// Name is the instance's name, for people.
	Name             string
	Flavor           Flavor
	AvailabilityZone string
	// Locality is Nova's policy for the hosts of a replication set; empty for none.
	Locality string
	// ReplicaOf is the instance whose set the locality is about; empty for the first of a set.
	ReplicaOf string
	Address   Address
	Volume    Volume
	Bootstrap Bootstrap
	// Manager is Trove's datastore manager: mariadb, mysql or postgresql.
	Manager string
	// Version is the exact number, such as 10.11.14.
	Version string
	// Image is the image to build from; empty leaves the choice to the provider.
	Image string
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

// AgentPort is where agents listen, whatever the provider.
const AgentPort = 8781

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
	Owner      Owner
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
	Owner      Owner
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

// Access says who may reach a database.
type Access struct {
	// Manager is Trove's datastore manager; it says at which port.
	Manager string
	Public  bool
	// CIDRs are who may connect; none means everybody.
	CIDRs []string
}

// ServerEvent says that a server went down or came up by itself.
type ServerEvent struct {
	InstanceID string
	// Status is compute's word for the new state.
	Status string
}
