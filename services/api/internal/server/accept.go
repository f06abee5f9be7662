package server

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/call"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// change is a request to change an existing instance.
type change struct {
	instanceID string
	// request is what an idempotency key is bound to.
	request proto.Message
	command *commandv1.Command
	// rule and admission are those of the action's row, unless they are set.
	rule      string
	admission *action.Admission
	// withSet shows the whole set to judge.
	withSet bool
	// first judges before the action's admission does, judge after it. Either may complete the command and the quota, which
	// are read after both; nil has no opinion.
	first, judge func(store.Scene) error
	quota        map[store.Resource]int
	rename       string
	// key is that of idempotency where the caller has sent none.
	key string
	// members are the others of a set that the action will hold: known once the change was judged.
	members []string
}

// decision is an accepted change, or in a dry run what would have been accepted.
type decision struct {
	store.Accepted
	members []string
	dryRun  bool
}

// order has a change accepted, and answers with what the caller learns of it.
func (s *Server) order(ctx context.Context, c change) (*taskv1.Task, *taskv1.Plan, error) {
	accepted, err := s.accept(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	return s.told(ctx, accepted)
}

// accept turns a request to change an existing instance into a task: policy, then in one transaction the state, the
// quota and the rows.
func (s *Server) accept(ctx context.Context, c change) (decision, error) {
	acceptance, err := s.acceptance(ctx, &c)
	if err != nil {
		return decision{}, err
	}
	if acceptance.Idempotency, err = s.idempotencyOr(ctx, c.key, string(acceptance.Action.Name), c.request); err != nil {
		return decision{}, err
	}
	accepted, err := s.enter(ctx, acceptance)
	return decision{accepted, c.members, acceptance.DryRun}, named(c.instanceID, err)
}

// acceptance checks the policy, and says what the store shall judge and write.
func (s *Server) acceptance(ctx context.Context, c *change) (store.Acceptance, error) {
	ordered, _ := action.Lookup(action.Of(c.command))
	rule, admission := ordered.PolicyRule, ordered.Admission
	if c.rule != "" {
		rule = c.rule
	}
	if c.admission != nil {
		admission = *c.admission
	}
	caller, err := s.authoriseChange(ctx, rule, c.instanceID)
	if err != nil {
		return store.Acceptance{}, err
	}
	c.command.InstanceId = c.instanceID
	return store.Acceptance{
		Action:     ordered,
		ProjectID:  scope(caller),
		InstanceID: c.instanceID,
		WithSet:    c.withSet,
		Command:    c.command,
		Quota:      c.quota,
		Rename:     c.rename,
		DryRun:     dryRun(ctx),
		Admit: func(scene store.Scene) error {
			// Only now it is known whose instance an admin acts on.
			c.command.ProjectId = scene.Instance.ProjectID
			if ordered.WholeSet {
				c.members = ids(scene.Others)
			}
			for _, judge := range []func(store.Scene) error{
				c.first, func(scene store.Scene) error { return s.admit(admission, scene) }, c.judge,
			} {
				if judge == nil {
					continue
				}
				if err := judge(scene); err != nil {
					return err
				}
			}
			return nil
		},
	}, nil
}

// authoriseChange checks a rule about one instance. What does not exist is not found before it is forbidden, except
// for management, of which others shall learn nothing.
func (s *Server) authoriseChange(ctx context.Context, rule, instanceID string) (caller identity.Caller, err error) {
	if management(rule) {
		if caller, err = s.authoriseManagement(ctx, rule); err != nil {
			return caller, err
		}
		return caller, validID(instanceID)
	}
	if err := validID(instanceID); err != nil {
		return caller, err
	}
	caller, denied := s.authorise(ctx, rule)
	if denied != nil {
		_, err := s.Store.Instance(ctx, scope(caller), instanceID)
		return caller, errors.Join(named(instanceID, err), denied)
	}
	return caller, nil
}

// enter completes an acceptance with what all have in common, and has it written.
func (s *Server) enter(ctx context.Context, a store.Acceptance) (store.Accepted, error) {
	defer s.Rush.Enter()()
	s.complete(ctx, &a)
	accepted, err := s.Store.Accept(ctx, a)
	s.count(accepted, a.DryRun, err)
	return accepted, err
}

// enterAll has several changes accepted together: all, or none. The request is that of the call as a whole.
func (s *Server) enterAll(
	ctx context.Context, doing string, request proto.Message, changes []store.Acceptance,
) ([]store.Accepted, error) {
	key, err := s.idempotency(ctx, doing, request)
	if err != nil {
		return nil, err
	}
	batch := s.batch(ctx, key, changes)
	accepted, err := s.Store.AcceptAll(ctx, batch)
	for _, one := range accepted {
		s.count(one, batch.DryRun, err)
	}
	return accepted, err
}

// together is the decision of changes that were accepted together: that of one, with the others' instances as members.
func together(ctx context.Context, one store.Accepted, others []store.Accepted) decision {
	d := decision{Accepted: one, dryRun: dryRun(ctx)}
	for _, other := range others {
		d.members = append(d.members, other.Instance.ID)
	}
	return d
}

func (s *Server) batch(ctx context.Context, key *store.Idempotency, changes []store.Acceptance) store.Batch {
	for i := range changes {
		s.complete(ctx, &changes[i])
	}
	return store.Batch{List: changes, Idempotency: key, DryRun: dryRun(ctx)}
}

// complete sets what every acceptance says.
func (s *Server) complete(ctx context.Context, a *store.Acceptance) {
	a.RequestID = call.RequestID(ctx)
	a.QuotaLimits = s.Settings.Quota
	a.Command.TaskId = uuid.NewString()
	a.Command.RequestId = a.RequestID
	a.Command.Traceparent = call.Traceparent(ctx)
}

func (s *Server) count(accepted store.Accepted, dryRun bool, err error) {
	if err == nil && !accepted.Repeated && !dryRun {
		s.Figures.TaskAccepted(accepted.Task.Action)
	}
}

func ids(instances []store.Instance) []string {
	list := make([]string, 0, len(instances))
	for _, instance := range instances {
		list = append(list, instance.ID)
	}
	return list
}
