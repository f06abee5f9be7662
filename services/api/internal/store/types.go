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
	// Notes are facts that its runs recorded for later steps and later runs.
	Notes map[string]string
	// Quota is what the task holds beside what its instance's row holds: what an increase took until the row has it, and
	// what a decrease freed until the task has ended.
	Quota map[Resource]int

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
	// New is the row to be made; nil for an action on an existing instance. If it follows a source, that is locked too.
	New *Instance
	// WithSet has the replication set of the instance locked too, and shown to Admit. Actions that concern the whole set,
	// deletions and new replicas have that anyway.
	WithSet bool
	// Admit looks at what is locked, and refuses with the caller's error. It must be quick and touch nothing else: other
	// writers wait for it, and it may be asked twice.
	Admit func(Scene) error
	// Rename is the instance's new name, changed along with it; empty leaves the name.
	Rename string
	// Command is stored with the task and rung on the queue. Its task_id, made by the caller, is the new task's id.
	Command *commandv1.Command
	// Quota is what is taken, checked against the limits in the same transaction. What a creation takes is held by the new
	// row until it is deleted; what another action takes is given back when it fails, and held by the row when it
	// succeeds. What a change frees is given back at its end and not told here.
	Quota map[Resource]int
	// QuotaLimits are the limits that hold where the project has none of its own; -1 is unlimited.
	QuotaLimits map[Resource]int
	// Secrets is the task's sealed secrets; empty when it has none.
	Secrets     []byte
	RequestID   string
	Idempotency *Idempotency
	// DryRun has everything checked and nothing changed: the answer tells what would have been. Keys of idempotency are
	// then neither looked for nor remembered.
	DryRun bool
}

// Scene is what an admission judges, all of it as it is in the transaction.
type Scene struct {
	Instance Instance
	// Unfinished are the instance's unfinished tasks in order of acceptance. One that holds the instance as a member of
	// its set comes first.
	Unfinished []Task
	// Others are the other instances of the set, the source first: for a source its replicas, for a replica its source
	// and the other replicas, for a new replica its source alone. Empty unless the set was asked for.
	Others []Instance
}

// Batch is a list of changes that are accepted together. The acceptances' own keys and DryRun do not count in it.
type Batch struct {
	List []Acceptance
	// Idempotency is the key of the call as a whole; nil when there is none.
	Idempotency *Idempotency
	DryRun      bool
}

// Outcome is what became of one acceptance of a batch.
type Outcome struct {
	Accepted
	// Err says why it was refused; nil when it was accepted.
	Err error
}

// Change is a change without a task, done at once.
type Change struct {
	// ProjectID bounds which instance may be found; empty for an admin, who finds all.
	ProjectID  string
	InstanceID string
	// Admit is as in an Acceptance; nil admits.
	Admit       func(Scene) error
	Idempotency *Idempotency
	DryRun      bool
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

// InstanceFilter narrows a list of instances over all projects; empty fields do not.
type InstanceFilter struct {
	ProjectID string
	// Deleted says that deleted instances, or living ones, are wanted alone; nil wants both.
	Deleted *bool
	// NeverActive wants those alone whose creation never succeeded.
	NeverActive bool
}

// TaskFilter narrows a list of tasks; empty fields do not.
type TaskFilter struct {
	ProjectID string
	// InstanceID wants the tasks of the instance, and those that held it as a member of its set.
	InstanceID string
	States     []TaskState
	Actions    []action.Name
	// From and Until bound when the task was created, both inclusive.
	From, Until time.Time
}

// Page is a part of a list.
type Page struct {
	// Limit is how many at most, at least 1.
	Limit int
	// Marker is the id of the last element of the page before, exclusive; empty for the first page.
	Marker string
	// Offset is how many elements to pass over, where a list is paged that way.
	Offset int
}

// Claim is the answer to a worker that wants a task.
type Claim struct {
	Outcome  journalv1.ClaimOutcome
	Task     Task
	Instance Instance
	// Members are the other instances that the task holds, by id.
	Members []Member
}

// Member is an instance that a task of another one holds.
type Member struct {
	Instance
	// Problem says what went wrong with it in the task; empty when nothing did.
	Problem string
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
	// Members are patches of members, by instance id.
	Members map[string]*journalv1.InstancePatch
	// Notes are written over those of the same keys.
	Notes map[string]string
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
	// Members say how members are left behind, by instance id; one that is not named is left without a task and with the
	// fault that it had.
	Members map[string]MemberEnd
}

// MemberEnd is what stays on a member of a task's set.
type MemberEnd struct {
	Patch *journalv1.InstancePatch
	// TaskStatus is NONE when empty.
	TaskStatus status.Task
	// Fault is the member's new fault; nil leaves it the one that it had.
	Fault *Fault
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
