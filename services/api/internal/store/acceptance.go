package store

import (
	"github.com/coffer-dbaas/coffer/pkg/action"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
)

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
