package store

import (
	"time"

	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// Bid is a worker's for a task.
type Bid struct {
	TaskID, Worker string
	// Plan is the task's steps, recorded with the first claim.
	Plan  []Step
	Lease time.Duration
	// MaxClaims without a record in between are too many.
	MaxClaims int
}

// Claim is the answer to a worker that wants a task.
type Claim struct {
	Outcome  journalv1.ClaimOutcome
	Task     Task
	Instance Instance
	// Former are the steps that former runs recorded.
	Former []Step
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
	Run Run
	// Last is the record of the last step, whose run is not read; nil when that is written already. Where the task is asked
	// to stop it is all that is written.
	Last    *Record
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
