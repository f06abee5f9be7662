package workflow

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

// askLimit is how long a server may take to say that it is alive, or how far it is.
const askLimit = 5 * time.Second

// The notes of an ejection.
const (
	noteElected  = "elected"
	notePosition = "elected_position"
)

// ejectReplicaSource replaces a source that is dead by the replica that has received the most of it.
//
// The user sees EJECT on every instance of the set, then ACTIVE on the replicas. The old source is fenced first: its server
// is stopped and stays so, whatever it does when it wakes up, and its instance keeps its data until it is deleted. Until a
// replica is elected, a failure starts the old server again and leaves the set as it was; from then on the task only goes
// forward. What the source had acknowledged and nobody received is lost: that is what asynchronous replication means.
func ejectReplicaSource(parts Parts) *flow.Workflow {
	w := ejection{parts}
	return flow.New(action.EjectReplicaSource, settleEjection).
		Step("check_dead", w.checkDead, flow.Timeout(checkTimeout)).
		Step("fence_source", w.fenceSource, flow.Undo(w.liftFence), flow.NoCancel(), flow.Timeout(10*time.Minute)).
		Step("elect", w.elect, flow.NoReturn(), flow.NoCancel(), flow.Timeout(5*time.Minute)).
		Step("promote_elected", w.promoteElected, flow.Timeout(10*time.Minute)).
		Step("follow_elected", w.followElected, flow.Timeout(copyTimeout))
}

func settleEjection(r *flow.Run, end flow.End) flow.Settlement {
	settled := flow.Settlement{TaskStatus: status.TaskNone, Members: strays(r, status.TaskEjectionError)}
	switch {
	case end.Failure == nil && end.Outcome == journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED:
		settled.Fault = &journalv1.Fault{
			Message: "It was ejected as replica source: its server is stopped for good. Its data are kept until it is deleted.",
			Details: fmt.Sprintf("elected %s at %s", r.Noted(noteElected), r.Noted(notePosition)),
		}
	case end.Failure == nil:
	case !r.Past():
		settled.Fault = fault(end, "the set is as it was; eject again")
	default:
		settled.TaskStatus = status.TaskEjectionError
		settled.Fault = fault(end, "reset the status of the set's instances and eject again")
		elected := r.Noted(noteElected)
		settled.Members[elected] = &journalv1.MemberEnd{
			TaskStatus: string(status.TaskEjectionError), Fault: fault(end, "look at its operating status"),
		}
	}
	return settled
}

type ejection struct{ Parts }

// checkDead refuses a source that has come back since the ejection was accepted.
func (w ejection) checkDead(ctx context.Context, r *flow.Run) error {
	if w.look(ctx, r.Instance.GetId()) != nil {
		return nil
	}
	guest, err := w.guest(r)
	if err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	if _, err := guest.Status(asking); err != nil {
		return nil // its silence is what was asked for
	}
	return flow.Terminal("SOURCE_LIVES", errs.New(errs.WrongState, "SOURCE_LIVES", "The source has a current heartbeat again."))
}

func (w ejection) fenceSource(ctx context.Context, r *flow.Run) error {
	if err := w.Servers.StopServer(ctx, r.Instance.GetId()); err != nil {
		return fmt.Errorf("stop the source's server: %w", err)
	}
	w.Guests.Forget(r.Instance.GetId())
	r.Change(&journalv1.InstancePatch{Fenced: proto.Bool(true), ServerStatus: proto.String(string(status.ServerShutdown))})
	return nil
}

// liftFence gives a source back its server, while nobody has taken its place.
func (w ejection) liftFence(ctx context.Context, r *flow.Run) error {
	server, err := w.Servers.StartServer(ctx, r.Instance.GetId())
	if err != nil && !errs.IsKind(err, errs.NotFound) {
		return fmt.Errorf("start the source's server again: %w", err)
	}
	r.Change(&journalv1.InstancePatch{Fenced: proto.Bool(false)})
	if err == nil {
		found(r, server)
	}
	return nil
}

// elect finds the replica that has received the most, by its engine's own count; of equals the one with the lowest id.
func (w ejection) elect(ctx context.Context, r *flow.Run) error {
	candidates := w.candidates(ctx, r)
	if len(candidates) == 0 {
		return errs.New(errs.Unavailable, "NO_CANDIDATE", "No replica answers.")
	}
	elected := slices.MaxFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.seen.GetProgress(), b.seen.GetProgress()), cmp.Compare(b.id, a.id))
	})
	r.Note(noteElected, elected.id)
	r.Note(notePosition, elected.seen.GetPosition())
	r.Say(fmt.Sprintf("Elected %s at %s, of %d replicas that answer; the last position of the source that any of them knows is %s.",
		elected.id, elected.seen.GetPosition(), len(candidates), cmp.Or(elected.seen.GetReceivedPosition(), "not known")))
	return nil
}

type candidate struct {
	id   string
	seen *guestagentv1.Replication
}

// candidates are the replicas that answer. Nothing streams to them any more: their source is fenced.
func (w ejection) candidates(ctx context.Context, r *flow.Run) []candidate {
	asking, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	var (
		mu    sync.Mutex
		found []candidate
		all   sync.WaitGroup
	)
	for id := range r.Members {
		all.Go(func() {
			guest, err := w.guestIn(r, id)
			if err != nil {
				return
			}
			seen, err := guest.Replication(asking)
			if err != nil || seen.GetRole() != roleReplica {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			found = append(found, candidate{id, seen})
		})
	}
	all.Wait()
	return found
}

func (w ejection) promoteElected(ctx context.Context, r *flow.Run) error {
	elected := r.Noted(noteElected)
	guest, err := w.guestIn(r, elected)
	if err != nil {
		return err
	}
	position, err := guest.Promote(ctx, operation(r, "promote"), r.Say)
	if err != nil {
		return fmt.Errorf("promote the elected replica %s: %w", elected, err)
	}
	turn(r, elected, w.others(r))
	r.Note(notePosition, position)
	r.Say(fmt.Sprintf("%s is the source from %s on.", elected, position))
	return nil
}

func (w ejection) followElected(ctx context.Context, r *flow.Run) error {
	return w.followAll(ctx, r, r.Noted(noteElected), w.others(r))
}

// others are the replicas that were not elected.
func (w ejection) others(r *flow.Run) []string {
	ids := slices.Sorted(maps.Keys(r.Members))
	return slices.DeleteFunc(ids, func(id string) bool { return id == r.Noted(noteElected) })
}
