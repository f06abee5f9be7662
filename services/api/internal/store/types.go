package store

import (
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
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

	// Epoch is the counter from which runs draw theirs.
	Epoch int64

	Created time.Time
	Updated time.Time
	// Deleted is nil while the instance exists.
	Deleted *time.Time
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

// TaskState is the state of a task.
type TaskState string

// The states of a task.
const (
	TaskQueued    TaskState = "QUEUED"
	TaskRunning   TaskState = "RUNNING"
	TaskSucceeded TaskState = "SUCCEEDED"
	TaskFailed    TaskState = "FAILED"
	TaskCancelled TaskState = "CANCELLED"
)

// Ended says whether the task will not change any more.
func (s TaskState) Ended() bool {
	return s == TaskSucceeded || s == TaskFailed || s == TaskCancelled
}

// Task is an accepted change of one instance.
type Task struct {
	ID           string
	Action       action.Name
	InstanceID   string
	InstanceName string
	ProjectID    string
	RequestID    string
	State        TaskState
	Progress     int
	Command      *commandv1.Command
	// Epoch is that of its newest run; 0 before the first.
	Epoch int64
	// Claims counts the claims since the last journal record.
	Claims       int
	Worker       string
	LeaseExpires *time.Time
	Stop         journalv1.StopMode
	// Error is nil unless the task failed or is undoing.
	Error *TaskError
	Steps []Step

	Created  time.Time
	Started  *time.Time
	Finished *time.Time
}

// TaskError says why a task failed.
type TaskError struct {
	Code    string
	Step    string
	Message string
}

// Step is one journalled step.
type Step struct {
	Name        string
	Status      journalv1.StepStatus
	Attempt     int
	Message     string
	Cancellable bool
	Started     *time.Time
	Finished    *time.Time
}

// Resource is a thing that quotas count.
type Resource string

// The resources, with Trove's names.
const (
	ResourceInstances Resource = "instances"
	// ResourceRAM is counted in MiB.
	ResourceRAM Resource = "ram"
	// ResourceVolumes is counted in GiB.
	ResourceVolumes Resource = "volumes"
	ResourceBackups Resource = "backups"
)

// Acceptance is a change to be accepted.
type Acceptance struct {
	Action action.Action
	// ProjectID bounds which instance may be found; empty for an admin, who finds all.
	ProjectID  string
	InstanceID string
	// New is the row to be made; nil for an action on an existing instance.
	New *Instance
	// Admit looks at the locked row and the instance's unfinished tasks in order of acceptance, and refuses with the
	// caller's error. It must be quick and touch nothing else: other writers wait for it, and it may be asked twice.
	Admit func(instance Instance, unfinished []Task) error
	// Command is stored with the task and rung on the queue. Its task_id, made by the caller, is the new task's id.
	Command *commandv1.Command
	// Quota is what is taken, checked against the limits in the same transaction.
	Quota map[Resource]int
	// QuotaLimits are the limits that hold where the project has none of its own; -1 is unlimited.
	QuotaLimits map[Resource]int
	// Secrets is the task's sealed secrets; empty when it has none.
	Secrets     []byte
	RequestID   string
	Idempotency *Idempotency
}

// Idempotency is a caller's key for one mutating call.
type Idempotency struct {
	ProjectID string
	Key       string
	// Fingerprint is a keyed hash of method, path and body.
	Fingerprint []byte
}

// Accepted is the outcome of an acceptance.
type Accepted struct {
	Task     Task
	Instance Instance
	// Repeated says that the answer belongs to an earlier call: one with the same idempotency key, or the deletion
	// that already runs.
	Repeated bool
}

// TaskFilter narrows a list of tasks; empty fields do not.
type TaskFilter struct {
	ProjectID  string
	InstanceID string
	State      TaskState
	Action     action.Name
}

// Page is a part of a list.
type Page struct {
	// Limit is how many at most, at least 1.
	Limit int
	// Marker is the id of the last element of the page before, exclusive; empty for the first page.
	Marker string
}

// Claim is the answer to a worker that wants a task.
type Claim struct {
	Outcome  journalv1.ClaimOutcome
	Task     Task
	Instance Instance
}

// Run names one claim of a task.
type Run struct {
	TaskID string
	Epoch  int64
}

// Record is a journal write.
type Record struct {
	Run         Run
	Steps       []Step
	Patch       *journalv1.InstancePatch
	Progress    int
	Failure     *TaskError
	DropSecrets bool
}

// Finish is a task's last journal write.
type Finish struct {
	Run     Run
	State   TaskState
	Failure *TaskError
	Patch   *journalv1.InstancePatch
	// TaskStatus is what stays on the instance.
	TaskStatus status.Task
	Fault      *Fault
	// Deleted marks the row deleted and returns its quota.
	Deleted bool
}

// OutboxMessage is a message that was committed and not yet acknowledged by NATS.
type OutboxMessage struct {
	ID int64
	// Subject is where it goes: pkg/bus has the forms.
	Subject string
	// MessageID is the Nats-Msg-Id.
	MessageID string
	Payload   []byte
}

// DatastoreVersion is a version of an engine that can be created.
type DatastoreVersion struct {
	ID            string
	DatastoreID   string
	DatastoreName string
	Manager       string
	Name          string
	Version       string
	Active        bool
	// Default says that it is its datastore's default version.
	Default bool
}

// Catalog is what the provider offers, as it was last registered.
type Catalog struct {
	Provider          *journalv1.RegisterProviderRequest
	DatastoreVersions []DatastoreVersion
}

// Guest is what is known of an instance's agent.
type Guest struct {
	InstanceID         string
	GuestAddress       string
	CertificateExpires time.Time
}

// GuestReport is what a monitor learnt of a guest; Status is nil when the guest is silent.
type GuestReport struct {
	Worker     string
	InstanceID string
	Status     *journalv1.GuestStatus
}

// Token is an issued token of the built-in identity; only a hash of it is kept.
type Token struct {
	Hash    []byte
	UserID  string
	Payload []byte
	Expires time.Time
}
