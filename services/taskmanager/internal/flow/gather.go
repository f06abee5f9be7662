package flow

import (
	"maps"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// gathered is what an attempt of a step wants recorded with the step's success. A step may work on several members at
// once, so it is guarded.
type gathered struct {
	mu          sync.Mutex
	patch       *journalv1.InstancePatch
	members     map[string]*journalv1.InstancePatch
	notes       map[string]string
	dropSecrets bool
}

// Change changes the instance, in the same transaction that records the step's success. A later call overrides the
// fields that it sets.
func (r *Run) Change(patch *journalv1.InstancePatch) {
	r.gathered.mu.Lock()
	defer r.gathered.mu.Unlock()
	r.gathered.patch = merge(r.gathered.patch, patch)
}

// ChangeMember changes a member of the task's set like Change does the instance.
func (r *Run) ChangeMember(id string, patch *journalv1.InstancePatch) {
	r.gathered.mu.Lock()
	defer r.gathered.mu.Unlock()
	if r.gathered.members == nil {
		r.gathered.members = map[string]*journalv1.InstancePatch{}
	}
	r.gathered.members[id] = merge(r.gathered.members[id], patch)
}

// Problem says that a member failed by itself, so that the task goes on with the others: Member(id).Problem from the
// next step on, in this run and in later ones. The step that calls it succeeds.
func (r *Run) Problem(id string, err error) {
	r.ChangeMember(id, &journalv1.InstancePatch{Problem: proto.String(errs.From(err).Sentence)})
}

// Note journals a fact with the step's success, for later steps and later runs: a decision that must not be taken
// twice, or what the task's owner is told at its end. It holds no secret.
func (r *Run) Note(key, value string) {
	r.gathered.mu.Lock()
	defer r.gathered.mu.Unlock()
	if r.gathered.notes == nil {
		r.gathered.notes = map[string]string{}
	}
	r.gathered.notes[key] = value
}

// Noted is what was noted under the key by this step, an earlier one, or a former run; empty when nothing was.
func (r *Run) Noted(key string) string {
	r.gathered.mu.Lock()
	defer r.gathered.mu.Unlock()
	if value, now := r.gathered.notes[key]; now {
		return value
	}
	return r.notes[key]
}

// DropSecrets deletes the task's secrets together with the record of this step's success.
func (r *Run) DropSecrets() {
	r.gathered.mu.Lock()
	defer r.gathered.mu.Unlock()
	r.gathered.dropSecrets = true
}

// forget clears what the attempt before has gathered.
func (g *gathered) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.patch, g.members, g.notes, g.dropSecrets = nil, nil, nil, false
}

// into writes what was gathered into a record.
func (g *gathered) into(request *journalv1.RecordStepsRequest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	request.Instance = proto.CloneOf(g.patch)
	request.Notes = maps.Clone(g.notes)
	request.DropSecrets = g.dropSecrets
	for id, patch := range g.members {
		if request.Members == nil {
			request.Members = map[string]*journalv1.InstancePatch{}
		}
		request.Members[id] = proto.CloneOf(patch)
	}
}

// apply makes what was recorded visible to the following steps.
func (r *Run) apply() {
	r.gathered.mu.Lock()
	defer r.gathered.mu.Unlock()
	Apply(r.Instance, r.gathered.patch)
	for id, patch := range r.gathered.members {
		if member, held := r.Members[id]; held {
			Apply(member, patch)
		}
	}
	maps.Copy(r.notes, r.gathered.notes)
}
