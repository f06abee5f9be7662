package flow

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// Run is one claim of a task as its steps see it.
type Run struct {
	// Command is what was ordered.
	Command *commandv1.Command
	// Instance is the instance with everything that the steps before this one changed.
	Instance *journalv1.Instance
	// Members are the other instances that the task holds, by id, with everything that the steps before changed: the rest
	// of the replication set, for the actions that concern the set as a whole.
	Members map[string]*journalv1.Instance

	id      *journalv1.Run
	journal Journal
	notes   map[string]string
	// failing says that the task has failed and is being undone.
	failing bool
	// past says that the task only goes forward; goPast makes it so.
	past   atomic.Bool
	goPast func(context.Context) error

	operation string
	// gathered counts when the current attempt succeeds.
	gathered gathered

	// said is also read by the goroutine that keeps the lease.
	mu   sync.Mutex
	said string
}

// ID names the run to the api.
func (r *Run) ID() *journalv1.Run { return r.id }

// OperationID names what the current step asks of a guest: the same in every attempt and every run of the step, so
// that the guest does it once.
func (r *Run) OperationID() string { return r.operation }

// Epoch is the run's epoch.
func (r *Run) Epoch() int64 { return r.id.GetEpoch() }

// Failed says, in an undo, whether the task failed; else it was cancelled.
func (r *Run) Failed() bool { return r.failing }

// Secrets are the task's secrets by their names; they are fetched anew each time and must not be kept.
func (r *Run) Secrets(ctx context.Context) (map[string]string, error) {
	answer, err := r.journal.GetSecrets(ctx, &journalv1.GetSecretsRequest{Run: r.id})
	if err != nil {
		return nil, fmt.Errorf("get secrets: %w", err)
	}
	return answer.GetUserPasswords(), nil
}

// Say tells people how the step gets on. It must not hold a secret. It is recorded when the step lasts, at most once a
// second, and with the step's end.
func (r *Run) Say(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = message
}

func (r *Run) saying() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said
}

// begin is the start of an attempt.
func (r *Run) begin(stepName, suffix string) {
	r.operation = strings.Join([]string{r.id.GetTaskId(), stepName}, "/") + suffix
	r.gathered.forget()
}
