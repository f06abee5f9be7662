package flow

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// Run is one claim of a task as its steps see it.
type Run struct {
	// Command is what was ordered.
	Command *commandv1.Command
	// Instance is the instance with everything that the steps before this one changed.
	Instance *journalv1.Instance

	id      *journalv1.Run
	journal Journal
	// failing says that the task has failed and is being undone.
	failing bool

	// What the current attempt has gathered; it counts when the attempt succeeds.
	operation   string
	patch       *journalv1.InstancePatch
	dropSecrets bool

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

// Change changes the instance, in the same transaction that records the step's success. A later call overrides the
// fields that it sets.
func (r *Run) Change(patch *journalv1.InstancePatch) {
	if r.patch == nil {
		r.patch = &journalv1.InstancePatch{}
	}
	patch = proto.CloneOf(patch)
	// These two replace as a whole; merging would append to one and mix the other.
	if patch.GetAddresses() != nil {
		r.patch.Addresses, patch.Addresses = patch.GetAddresses(), nil
	}
	if patch.GetGuestStatus() != nil {
		r.patch.GuestStatus, patch.GuestStatus = patch.GetGuestStatus(), nil
	}
	proto.Merge(r.patch, patch)
}

// Secrets are the task's secrets by their names; they are fetched anew each time and must not be kept.
func (r *Run) Secrets(ctx context.Context) (map[string]string, error) {
	answer, err := r.journal.GetSecrets(ctx, &journalv1.GetSecretsRequest{Run: r.id})
	if err != nil {
		return nil, fmt.Errorf("get secrets: %w", err)
	}
	return answer.GetUserPasswords(), nil
}

// DropSecrets deletes the task's secrets together with the record of this step's success.
func (r *Run) DropSecrets() { r.dropSecrets = true }

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

// begin clears what the attempt before has gathered.
func (r *Run) begin(stepName, suffix string) {
	r.operation = strings.Join([]string{r.id.GetTaskId(), stepName}, "/") + suffix
	r.patch, r.dropSecrets = nil, false
}

// apply makes the recorded patch visible to the following steps.
func (r *Run) apply() {
	p := r.patch
	if p == nil {
		return
	}
	set(&r.Instance.ServerId, p.ServerId)
	set(&r.Instance.VolumeId, p.VolumeId)
	set(&r.Instance.GuestAddress, p.GuestAddress)
	set(&r.Instance.ServerStatus, p.ServerStatus)
	if p.GetAddresses() != nil {
		r.Instance.Addresses = p.GetAddresses().GetAddresses()
	}
	if p.GetGuestStatus() != nil {
		r.Instance.ServiceStatus = p.GetGuestStatus().GetServiceStatus()
	}
}

func set(field, value *string) {
	if value != nil {
		*field = *value
	}
}
