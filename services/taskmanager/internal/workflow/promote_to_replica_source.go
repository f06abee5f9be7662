package workflow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

const (
	// levelWithin is how long a replica may need to apply what the source has, to count as caught up.
	levelWithin = 200 * time.Millisecond
	// switchTimeout bounds the switch with all its attempts, and frozenTimeout each time for which it holds back writers.
	switchTimeout = 3 * time.Minute
	frozenTimeout = 20 * time.Second
)

// promoteToReplicaSource makes a replica the source of its set, without losing a write that was acknowledged.
//
// The user sees PROMOTE on every instance of the set, then ACTIVE; writers are held back for the moment of the switch and
// then go on at the replica's address. Until the replica has all that the source acknowledged, a failure leaves the set as
// it was, with the source writing. From the moment the replica may be writing the task only goes forward, in whichever
// hands: the other members follow the new source, the old one too. A member that cannot is left in ERROR by itself.
func promoteToReplicaSource(parts Parts) *flow.Workflow {
	w := promotion{parts}
	return flow.New(action.PromoteToReplicaSource, settlePromotion).
		Step("check_set", w.onServer(w.checkSet), flow.Timeout(checkTimeout)).
		Step("catch_up", w.onServer(w.catchUp), flow.Timeout(w.CatchUpLimit), flow.Waits()).
		Step("switch_over", w.switchOver, flow.Undo(w.unfreeze), flow.NoReturn(), flow.NoCancel(), flow.Timeout(switchTimeout)).
		Step("follow_new_source", w.followNewSource, flow.Timeout(copyTimeout)).
		Step("await_healthy", w.onServer(w.awaitHealthy), flow.Timeout(healthyTimeout), flow.Waits())
}

func settlePromotion(r *flow.Run, end flow.End) flow.Settlement {
	settled := flow.Settlement{TaskStatus: status.TaskNone, Members: strays(r, status.TaskPromotionError)}
	switch {
	case end.Failure == nil:
	case !r.Past():
		settled.Fault = fault(end, "the set is as it was; promote again")
	default:
		settled.TaskStatus = status.TaskPromotionError
		settled.Fault = fault(end, "reset the status of the set's instances and promote again")
		former := r.Noted(noteFormerSource)
		if settled.Members[former] == nil && r.Instance.GetReplicaOf() == former {
			settled.Members[former] = &journalv1.MemberEnd{
				TaskStatus: string(status.TaskPromotionError), Fault: fault(end, "it refuses writes until its set is promoted again"),
			}
		}
	}
	return settled
}

type promotion struct{ Parts }

// checkSet lets a promotion fail before it has changed anything, while one of the two servers cannot be reached or the
// replica does not follow.
func (w promotion) checkSet(ctx context.Context, r *flow.Run) error {
	source, replica, err := w.two(r)
	if err != nil {
		return err
	}
	if _, err := source.Replication(ctx); err != nil {
		return fmt.Errorf("ask the source how far it is: %w", err)
	}
	seen, err := replica.Replication(ctx)
	if err != nil {
		return fmt.Errorf("ask the replica how far it is: %w", err)
	}
	if seen.GetRole() != roleReplica {
		return errs.New(errs.WrongState, "NOT_A_REPLICA", "The server is no replica.")
	}
	if seen.GetMessage() != "" {
		// A source that was just restarted is connected to again in a moment.
		return errs.New(errs.Unavailable, "NOT_FOLLOWING", "The replica does not follow its source: %s.", seen.GetMessage())
	}
	r.Note(noteFormerSource, r.Instance.GetReplicaOf())
	return nil
}

// catchUp waits, while writes go on, until the replica is so close behind that writers can be held back for the rest.
func (w promotion) catchUp(ctx context.Context, r *flow.Run) error {
	source, replica, err := w.two(r)
	if err != nil {
		return err
	}
	for {
		began := time.Now()
		if err := level(ctx, source, replica); err != nil {
			return err
		}
		behind := time.Since(began)
		if behind <= levelWithin {
			return nil
		}
		r.Say(fmt.Sprintf("The replica was %s behind.", behind.Round(time.Millisecond)))
	}
}

// switchOver holds back the writers, waits until the replica has everything that was acknowledged, and makes it the
// source. Whoever repeats it finds the replica a source already, or begins again.
func (w promotion) switchOver(ctx context.Context, r *flow.Run) error {
	source, replica, err := w.two(r)
	if err != nil {
		return err
	}
	position, err := w.freeze(ctx, r, source, replica)
	if err != nil {
		return err
	}
	// From here on the replica may be writing, whoever learns of it: the old source must never be let go again.
	if err := r.PastReturn(ctx); err != nil {
		return err
	}
	if _, err := replica.Promote(ctx, operation(r, "promote"), r.Say); err != nil {
		return fmt.Errorf("promote the replica: %w", err)
	}
	turn(r, r.Instance.GetId(), slices.Collect(maps.Keys(r.Members)))
	if position != "" {
		r.Say("Switched over at " + position + ".")
	}
	return nil
}

// freeze is only done before the point of no return: behind it the source is frozen, and may be following already.
func (w promotion) freeze(ctx context.Context, r *flow.Run, source, replica step.Guest) (string, error) {
	if r.Past() {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, frozenTimeout)
	defer cancel()
	position, err := source.Freeze(ctx, operation(r, "freeze"), r.Say)
	if err != nil {
		return "", fmt.Errorf("freeze the source: %w", err)
	}
	if _, err := replica.AwaitPosition(ctx, position); err != nil {
		// Writers are not held back for another try.
		return "", flow.Terminal("NOT_LEVEL", fmt.Errorf("await the source's last position %s: %w", position, err))
	}
	return position, nil
}

// unfreeze lets the source write again. It is never called once the replica may be writing.
func (w promotion) unfreeze(ctx context.Context, r *flow.Run) error {
	source, err := w.guestIn(r, r.Noted(noteFormerSource))
	if err != nil {
		return err
	}
	if err := source.Unfreeze(ctx, step.Operation(r), r.Say); err != nil {
		return fmt.Errorf("let the source write again: %w", err)
	}
	return nil
}

func (w promotion) followNewSource(ctx context.Context, r *flow.Run) error {
	members := slices.Sorted(maps.Keys(r.Members))
	if err := w.followAll(ctx, r, r.Instance.GetId(), members); err != nil {
		return err
	}
	// The account with which the new source followed the old one came along with the data.
	replica, err := w.guest(r)
	if err != nil {
		return err
	}
	return replica.DismissReplica(ctx, r.Instance.GetId())
}

// two are the guests of the old source and of the replica.
func (w promotion) two(r *flow.Run) (source, replica step.Guest, err error) {
	former := r.Noted(noteFormerSource)
	if former == "" {
		former = r.Instance.GetReplicaOf()
	}
	if source, err = w.guestIn(r, former); err != nil {
		return nil, nil, err
	}
	replica, err = w.guest(r)
	return source, replica, err
}
