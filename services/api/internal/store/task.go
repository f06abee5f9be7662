package store

import (
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

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
