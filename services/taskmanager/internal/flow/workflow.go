package flow

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

const (
	defaultStepTimeout = 2 * time.Minute
	defaultUndoTimeout = 5 * time.Minute
)

// Func is what a step does. It must be safe to run again after it has already happened.
type Func func(ctx context.Context, r *Run) error

// Settle says how the end of a task looks to the user. It must not call anybody.
type Settle func(r *Run, end End) Settlement

// End is how a task ended.
type End struct {
	Outcome journalv1.TaskOutcome
	// Failure is set when the task failed. Its step and code are stable; its message is a sentence about the cause.
	Failure *taskv1.TaskError
}

// Settlement is what stays behind.
type Settlement struct {
	// TaskStatus is NONE, or one of Trove's error statuses.
	TaskStatus status.Task
	// Fault is stored on the instance when set.
	Fault *journalv1.Fault
	// Instance changes the instance together with the end; may be nil.
	Instance *journalv1.InstancePatch
	// Deleted says that the instance is gone.
	Deleted bool
	// Members are how members are left, by id. One that is not named has no task any more and no new fault.
	Members map[string]*journalv1.MemberEnd
}

// Workflow is the steps of one action, in order.
type Workflow struct {
	action action.Action
	settle Settle
	steps  []*step
}

type step struct {
	name    string
	do      Func
	undo    Func
	timeout time.Duration
	// undoTimeout bounds the undo.
	undoTimeout time.Duration
	retry       Backoff
	// waits says that the step changes nothing, so that a stop may cut it off.
	waits    bool
	noCancel bool
	noReturn bool
}

// New begins the workflow of an action. It panics for an action that is not in the table: that is a mistake in the
// program, found by any test.
func New(name action.Name, settle Settle) *Workflow {
	row, known := action.Lookup(name)
	if !known {
		panic(fmt.Sprintf("flow: no action %q", name))
	}
	return &Workflow{action: row, settle: settle}
}

// Action is the name of the workflow's action.
func (w *Workflow) Action() action.Name { return w.action.Name }

// Outline is what the workflow would do, for a dry run.
func (w *Workflow) Outline() *journalv1.WorkflowOutline {
	outline := &journalv1.WorkflowOutline{Action: string(w.action.Name)}
	for _, s := range w.steps {
		outline.Steps = append(outline.Steps, &journalv1.WorkflowStep{Name: s.name, Undoable: s.undo != nil})
	}
	return outline
}

// plan is all steps before the first run: the first one runs.
func (w *Workflow) plan() []*journalv1.StepRecord {
	plan := make([]*journalv1.StepRecord, 0, len(w.steps))
	for _, s := range w.steps {
		plan = append(plan, s.record())
	}
	start(plan, 0)
	return plan
}

func (s *step) record() *journalv1.StepRecord {
	return &journalv1.StepRecord{Name: s.name, Status: pending, Cancellable: !s.noCancel}
}

// Step adds a step. Its name is what users see and what the journal is keyed by: it must stay.
func (w *Workflow) Step(name string, do Func, options ...Option) *Workflow {
	added := &step{name: name, do: do, timeout: defaultStepTimeout, undoTimeout: defaultUndoTimeout, retry: defaultBackoff}
	for _, option := range options {
		option(added)
	}
	// Behind the point of no return there is nothing that a cancel could lead to.
	added.noCancel = added.noCancel || added.noReturn || slices.ContainsFunc(w.steps, func(s *step) bool { return s.noReturn })
	w.steps = append(w.steps, added)
	return w
}

// Option is said on the line of the step it belongs to.
type Option func(*step)

// Undo takes back what the step took. It must succeed when there is nothing to take back, and when the step did only
// half of its work.
func Undo(undo Func) Option { return func(s *step) { s.undo = undo } }

// Timeout bounds the step with all its attempts. The default is two minutes; an undo has five.
func Timeout(limit time.Duration) Option { return func(s *step) { s.timeout = limit } }

// UndoTimeout bounds the step's undo with all its attempts.
func UndoTimeout(limit time.Duration) Option { return func(s *step) { s.undoTimeout = limit } }

// Retry says how a step that failed for a passing reason is tried again.
func Retry(backoff Backoff) Option { return func(s *step) { s.retry = backoff } }

// NoCancel says that a user cannot cancel the task while this step runs.
func NoCancel() Option { return func(s *step) { s.noCancel = true } }

// Waits says that the step only waits for something: a stop ends it at once instead of at its border.
func Waits() Option { return func(s *step) { s.waits = true } }

// NoReturn says that the task only goes forward from the moment this step has succeeded, or has said so before its end
// by Run.PastReturn. Whatever fails later undoes nothing and cannot be cancelled: it is tried again until its own limit,
// whatever its kind, unless it is Terminal; then the task ends as failed.
func NoReturn() Option { return func(s *step) { s.noReturn = true } }
