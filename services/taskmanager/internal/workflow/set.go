package workflow

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/status"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// What several workflows do with the servers of a replication set.

const (
	// followPatience is how long a member may be out of reach, until the task goes on without it.
	followPatience = 2 * time.Minute
	// followPause is the longest pause between two attempts at a member.
	followPause = 2 * time.Second
)

// reasonDiverged is an agent's answer when its data are not the beginning of the source's.
const reasonDiverged = "DIVERGED"

const (
	roleSource  = guestagentv1.ReplicationRole_REPLICATION_ROLE_SOURCE
	roleReplica = guestagentv1.ReplicationRole_REPLICATION_ROLE_REPLICA
)

// guestOf is the guest of an instance that the task does not hold.
func (p Parts) guestOf(ctx context.Context, instanceID string) (step.Guest, error) {
	address, err := p.Directory.GuestAddress(ctx, instanceID)
	if err != nil {
		return nil, fmt.Errorf("find the guest of instance %s: %w", instanceID, err)
	}
	return p.Guests.Guest(instanceID, address)
}

// guestIn is the guest of the task's instance or of one of its members.
func (p Parts) guestIn(r *flow.Run, instanceID string) (step.Guest, error) {
	instance := inSet(r, instanceID)
	return p.Guests.Guest(instanceID, instance.GetGuestAddress())
}

func inSet(r *flow.Run, instanceID string) *journalv1.Instance {
	if instanceID == r.Instance.GetId() {
		return r.Instance
	}
	return r.Members[instanceID]
}

func addressOf(instance *journalv1.Instance) string {
	for _, address := range instance.GetAddresses() {
		return address.GetAddress()
	}
	return ""
}

// leaveSource lets the source forget a replica. A source that does not answer is not waited for: what it keeps is an
// account that nobody uses, until it is asked to let in another one or is deleted itself.
func (p Parts) leaveSource(ctx context.Context, r *flow.Run) error {
	source := r.Instance.GetReplicaOf()
	if source == "" {
		return nil
	}
	return p.dismissAt(ctx, r, source)
}

func (p Parts) dismissAt(ctx context.Context, r *flow.Run, source string) error {
	asking, cancel := context.WithTimeout(ctx, stopPatience)
	defer cancel()
	guest, err := p.guestOf(asking, source)
	if err == nil {
		err = guest.DismissReplica(asking, r.Instance.GetId())
	}
	if ctx.Err() != nil {
		return err
	}
	if err != nil {
		r.Say("Not dismissed by its source: " + errs.From(err).Sentence)
	}
	return nil
}

// followAll lets members follow a source, all at once. One that cannot be brought to it becomes a problem of its own, and
// the others go on.
func (p Parts) followAll(ctx context.Context, r *flow.Run, source string, members []string) error {
	var following sync.WaitGroup
	for _, id := range members {
		if r.Members[id].GetProblem() != "" {
			continue
		}
		following.Go(func() {
			if err := p.followPatiently(ctx, r, source, id); err != nil && ctx.Err() == nil {
				r.Problem(id, err)
			}
		})
	}
	following.Wait()
	return context.Cause(ctx)
}

// followPatiently tries again while the member or the source is out of reach, unless the member's server is known to be
// down.
func (p Parts) followPatiently(ctx context.Context, r *flow.Run, source, member string) error {
	giveUp := time.Now().Add(followPatience)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, followPause) {
		err := p.follow(ctx, r, source, member)
		if !errs.IsKind(err, errs.Unavailable) || time.Now().After(giveUp) {
			return err
		}
		if down := p.whyDown(ctx, member); down != nil {
			return down
		}
		if !pause.For(ctx, wait) {
			return context.Cause(ctx)
		}
	}
}

// follow lets a member follow the source with what it has, or, when that is no part of the source's history, with a new
// copy.
func (p Parts) follow(ctx context.Context, r *flow.Run, source, member string) error {
	from, err := p.guestIn(r, source)
	if err != nil {
		return err
	}
	guest, err := p.guestIn(r, member)
	if err != nil {
		return err
	}
	admission := &guestagentv1.AdmitReplicaRequest{ReplicaInstanceId: member, ReplicaAddress: addressOf(inSet(r, member))}
	admitted, err := from.AdmitReplica(ctx, admission)
	if err != nil {
		return fmt.Errorf("admit to the new source: %w", err)
	}
	err = guest.FollowSource(ctx, &guestagentv1.FollowSourceRequest{
		Operation: operation(r, "follow/"+member), Source: admitted,
	}, r.Say)
	if !errs.IsReason(err, reasonDiverged) {
		return err
	}
	admission.Ticket, admission.TicketMilliseconds = uuid.NewString(), ticketLife.Milliseconds()
	if admitted, err = from.AdmitReplica(ctx, admission); err != nil {
		return fmt.Errorf("announce a copy to the new source: %w", err)
	}
	instance := inSet(r, member)
	return guest.PrepareReplica(ctx, &guestagentv1.PrepareReplicaRequest{
		Operation: operation(r, "copy/"+member), Manager: instance.GetDatastoreVersion().GetManager(),
		Version: instance.GetDatastoreVersion().GetVersion(), Ram: instance.GetFlavor().GetRam(),
		Source: admitted, ReplaceData: true,
	}, r.Say)
}

// turn records that every member follows the new source from now on, and the new source nobody.
func turn(r *flow.Run, source string, members []string) {
	change(r, source, &journalv1.InstancePatch{ReplicaOf: proto.String("")})
	for _, id := range members {
		change(r, id, &journalv1.InstancePatch{ReplicaOf: proto.String(source)})
	}
}

func change(r *flow.Run, instanceID string, patch *journalv1.InstancePatch) {
	if instanceID == r.Instance.GetId() {
		r.Change(patch)
		return
	}
	r.ChangeMember(instanceID, patch)
}

// strays are the ends of the members that failed by themselves.
func strays(r *flow.Run, left status.Task) map[string]*journalv1.MemberEnd {
	ends := map[string]*journalv1.MemberEnd{}
	for id, member := range r.Members {
		if member.GetProblem() == "" {
			continue
		}
		ends[id] = &journalv1.MemberEnd{TaskStatus: string(left), Fault: &journalv1.Fault{
			Message: flow.Sentence(&taskv1.TaskError{Message: "It does not follow its new source: " + member.GetProblem()},
				"delete it, or reset its status and detach it"),
			Details: member.GetProblem(),
		}}
	}
	return ends
}
