package store

import (
	"context"
	"strings"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
)

// ErrNotFound is what every method answers for an id that does not exist, or not for that project.
var ErrNotFound = errs.New(errs.NotFound, "NOT_FOUND", "The resource could not be found.")

// ErrSuperseded refuses a run whose epoch is no longer the newest, or whose task has ended.
var ErrSuperseded = errs.New(errs.Conflict, "RUN_SUPERSEDED", "Another run of this task has taken over.")

// ErrIdempotencyMismatch refuses a known idempotency key with another request.
var ErrIdempotencyMismatch = errs.New(errs.WrongState, "IDEMPOTENCY_KEY_REUSED",
	"This Idempotency-Key was used with another request; use a new key for a new request.")

// QuotaExceeded refuses an acceptance that would take more than the limit, in Trove's words.
func QuotaExceeded(resources []Resource) error {
	names := make([]string, 0, len(resources))
	for _, r := range resources {
		names = append(names, "'"+string(r)+"'")
	}
	return errs.New(errs.OverQuota, "QUOTA_EXCEEDED", "Quota exceeded for resources: [%s].", strings.Join(names, ", "))
}

// SetBusy refuses an action on a whole set because a task runs on one of its instances.
func SetBusy(member Instance) error {
	return errs.New(errs.WrongState, "SET_BUSY",
		"Instance %s of the replication set is not currently available for an action to be performed (task status was %s).",
		member.ID, member.TaskStatus)
}

// SetTurning refuses to delete an instance while a task changes the roles in its set.
func SetTurning(instanceID string, holder Task) error {
	return errs.New(errs.WrongState, "SET_TURNING",
		"Instance %s cannot be deleted while its replication set is being changed (task %s, %s).",
		instanceID, holder.ID, holder.Action)
}

// IsFenced refuses every action but the deletion of a source that was ejected.
func IsFenced(instanceID string) error {
	return errs.New(errs.WrongState, "FENCED",
		"Instance %s was ejected from its replication set; its data are kept until it is deleted, and nothing else can be done with it.",
		instanceID)
}

// NotAMember refuses a journal write that names an instance which the task does not hold.
func NotAMember(instanceID, taskID string) error {
	return errs.New(errs.Invalid, "NOT_A_MEMBER", "Instance %s is no member of task %s.", instanceID, taskID)
}

// Store is all of it.
type Store interface {
	Acceptor
	Changer
	Instances
	Tasks
	Journal
	Guests
	Outbox
	Catalogs
	Tokens
	// Ping says whether the database answers.
	Ping(ctx context.Context) error
	Close() error
}

// Acceptor turns requests into tasks: DESIGN law 1.
type Acceptor interface {
	// Accept does it in one transaction: finds an earlier answer under the idempotency key; locks the row, and its set
	// where that is asked for; asks Admit; takes quota; writes row, task, secrets, idempotency key, events and, unless
	// another task must end first, the command.
	//
	// An action that concerns the whole set holds every member until its task ends: SetBusy refuses it while a task runs
	// on one of them. A replica that was never active is no member; while it is being built it refuses a promotion, and
	// is left out of an ejection. SetTurning refuses a deletion while the set's task runs. IsFenced refuses whatever else
	// than its deletion is asked of an ejected source, and a replica of it. Both are said before Admit is asked.
	Accept(ctx context.Context, a Acceptance) (Accepted, error)
	// AcceptAll accepts all of them in one transaction, in the order given, or none. A repeat under the key answers with
	// the same tasks.
	AcceptAll(ctx context.Context, b Batch) ([]Accepted, error)
	// AcceptEach accepts each by itself: one that is refused does not stop the others. A few share a transaction, each
	// seeing what those before it changed. The outcomes are in the order given; a repeat under the key answers with the
	// same ones, and goes on where an earlier call was cut off. The error is one that leaves the outcomes unknown.
	AcceptEach(ctx context.Context, b Batch) ([]Outcome, error)
}

// Changer changes instances at once, without a task.
type Changer interface {
	// Rename gives an instance another name.
	Rename(ctx context.Context, c Change, name string) (Instance, error)
	// ResetStatus ends the tasks of an instance as CANCELLED at once, running ones too, whose runs find themselves
	// superseded, and clears its task status. A task that holds it as a member of its set ends as well, and with it what
	// the task made of the other members. unknown has the service status forgotten until the guest's next report.
	ResetStatus(ctx context.Context, c Change, unknown bool) (Instance, error)
}

// Instances reads instances.
type Instances interface {
	// Instance finds a living instance; an empty project finds it in all.
	Instance(ctx context.Context, projectID, id string) (Instance, error)
	// InstanceEver finds an instance of any project, deleted or not.
	InstanceEver(ctx context.Context, id string) (Instance, error)
	// InstanceSet is the replication set to which a living instance belongs: the source first, then its replicas by id.
	// One that has neither source nor replicas is a set of its own.
	InstanceSet(ctx context.Context, projectID, id string) ([]Instance, error)
	// Replicas are the ids of the living replicas of each of the instances that has any, by one query.
	Replicas(ctx context.Context, ids []string) (map[string][]string, error)
	// ListInstances lists the living instances of a project by id ascending; next is the marker of the next page.
	ListInstances(ctx context.Context, projectID string, page Page) (list []Instance, next string, err error)
	// ListAllInstances lists instances of all projects, those updated last first, from the page's offset on; more says
	// that others follow.
	ListAllInstances(ctx context.Context, f InstanceFilter, page Page) (list []Instance, more bool, err error)
	// QuotaInUse is what a project has taken.
	QuotaInUse(ctx context.Context, projectID string) (map[Resource]int, error)
	// QuotaLimits are the limits of the project's own; a resource without one is missing.
	QuotaLimits(ctx context.Context, projectID string) (map[Resource]int, error)
}

// Tasks reads and cancels tasks.
type Tasks interface {
	// Task finds a task with its steps; an empty project finds it in all.
	Task(ctx context.Context, projectID, id string) (Task, error)
	// ListTasks lists tasks with their steps, newest first, from the page's marker or offset on. A marker that is no task
	// is ErrNotFound.
	ListTasks(ctx context.Context, f TaskFilter, page Page) (list []Task, next string, err error)
	// CountTasks says how many tasks the filter lets pass.
	CountTasks(ctx context.Context, f TaskFilter) (int, error)
	// CancelTask asks the task to stop with StopUndo. A queued task that no run has started ends as CANCELLED at
	// once. allowed looks at the task as it is in the transaction and refuses with the caller's error. A key, which may
	// be nil, that was used for the same call before is answered with the task as it is now.
	CancelTask(ctx context.Context, projectID, id string, key *Idempotency, allowed func(Task) error) (Task, error)
}

// Journal is the taskmanagers' side of tasks.
type Journal interface {
	// ClaimTask takes a task if it is queued, or running with an expired lease, or its lease is this worker's own,
	// and no other task runs on the instance, nor holds it as a member of its set. The claim raises the instance's epoch,
	// for a set the epochs of all members to one that is newer than each, and counts; the claim after MaxClaims ones
	// without a record in between ends the task as FAILED and answers GONE.
	ClaimTask(ctx context.Context, b Bid) (Claim, error)
	RenewLease(ctx context.Context, run Run, lease time.Duration) (Task, error)
	RecordSteps(ctx context.Context, r Record) (Task, error)
	// FinishTask ends the task, lets go of its members, and rings the next queued task of each of the instances, if any. It
	// answers with the task as it is then.
	FinishTask(ctx context.Context, f Finish) (Task, error)
	// Secrets are the sealed secrets of the run's task; empty when it has none.
	Secrets(ctx context.Context, run Run) ([]byte, error)
	// CheckRun says whether the run is the task's newest and unfinished.
	CheckRun(ctx context.Context, run Run) (Task, error)
	// RingDue writes a new command to the outbox for each task that is queued and may run, or whose lease ran out,
	// and whose last ring is older than age. It answers how many.
	RingDue(ctx context.Context, age time.Duration) (int, error)
	// ReleaseWorker ends the leases of a worker that is known to be dead and rings its tasks, so that nobody waits
	// for them to run out. It answers how many.
	ReleaseWorker(ctx context.Context, worker string) (int, error)
}

// Guests is the monitors' side of instances.
type Guests interface {
	// JoinMonitors renews the worker among the living (or takes it out) and answers with all of them.
	JoinMonitors(ctx context.Context, worker string, lease time.Duration, leave bool) ([]string, error)
	// ListGuests lists living instances whose agent can be dialled.
	ListGuests(ctx context.Context) ([]Guest, error)
	// FindInstances sorts instances into those that live and those that were deleted; unknown ids are in neither.
	FindInstances(ctx context.Context, ids []string) (living, deleted []string, err error)
	// ReportGuest stores a report, unless a newer one of the same agent life, or one of a later life, is stored. It
	// writes an instance event only when what users see changed.
	ReportGuest(ctx context.Context, r GuestReport) error
	ReportServer(ctx context.Context, instanceID string, server status.Server) error
	// GuestKey is the recorded public key of the guest (PKIX, DER); empty when none was enrolled.
	GuestKey(ctx context.Context, instanceID string) ([]byte, error)
	// SaveGuestCertificate records key and end of a newly signed certificate.
	SaveGuestCertificate(ctx context.Context, instanceID string, publicKey []byte, expires time.Time) error
}

// Outbox is what the relay reads.
type Outbox interface {
	// Pending are the oldest messages not yet sent, at most limit.
	Pending(ctx context.Context, limit int) ([]OutboxMessage, error)
	// Sent forgets messages that NATS acknowledged.
	Sent(ctx context.Context, ids []int64) error
	// Committed fires after a commit that wrote to the outbox: one receiver, capacity one, never closed.
	Committed() <-chan struct{}
}

// Catalogs keeps what the provider offers.
type Catalogs interface {
	// SaveCatalog replaces the catalogue by what the provider says; datastore versions are derived from it. Ids of
	// datastores and versions are the same for the same names, in every database; a version that is no longer offered
	// becomes inactive. A datastore's default is its highest active version.
	SaveCatalog(ctx context.Context, c Catalog) (Catalog, error)
	// Catalog answers ErrNotFound until a provider has registered.
	Catalog(ctx context.Context) (Catalog, error)
}

// Tokens keeps the built-in identity's tokens.
type Tokens interface {
	SaveToken(ctx context.Context, t Token) error
	// Token finds a token, expired or not, until it is purged.
	Token(ctx context.Context, hash []byte) (Token, error)
	// RevokeToken forgets a token; unknown ones are no error.
	RevokeToken(ctx context.Context, hash []byte) error
	// PurgeExpired forgets tokens and idempotency keys that have expired.
	PurgeExpired(ctx context.Context, now time.Time) error
}
