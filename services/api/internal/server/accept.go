package server

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/call"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// accept turns a request to change an existing instance into a task: policy, then in one transaction the state, the
// quota and the rows. The request is what an idempotency key is bound to.
func (s *Server) accept(
	ctx context.Context, instanceID string, request proto.Message, command *commandv1.Command,
) (store.Accepted, error) {
	if err := validID(instanceID); err != nil {
		return store.Accepted{}, err
	}
	ordered, _ := action.Lookup(action.Of(command))
	caller, denied := s.authorise(ctx, ordered.PolicyRule)
	if denied != nil {
		// What does not exist is not found before it is forbidden.
		_, err := s.Store.Instance(ctx, scope(caller), instanceID)
		return store.Accepted{}, errors.Join(named(instanceID, err), denied)
	}
	command.InstanceId = instanceID
	accepted, err := s.enter(ctx, request, store.Acceptance{
		Action:     ordered,
		ProjectID:  scope(caller),
		InstanceID: instanceID,
		Command:    command,
		Admit: func(scene store.Scene) error {
			// Only now it is known whose instance an admin acts on.
			command.ProjectId = scene.Instance.ProjectID
			return admit(ordered.Admission, scene.Instance, s.Now())
		},
	})
	return accepted, named(instanceID, err)
}

// enter completes an acceptance with what all have in common, and has it written.
func (s *Server) enter(ctx context.Context, request proto.Message, a store.Acceptance) (store.Accepted, error) {
	key, err := s.idempotency(ctx, string(a.Action.Name), request)
	if err != nil {
		return store.Accepted{}, err
	}
	a.Idempotency = key
	a.RequestID = call.RequestID(ctx)
	a.QuotaLimits = s.Settings.Quota
	a.Command.TaskId = uuid.NewString()
	a.Command.RequestId = a.RequestID
	a.Command.Traceparent = call.Traceparent(ctx)
	accepted, err := s.Store.Accept(ctx, a)
	if err == nil && !accepted.Repeated {
		s.Figures.TaskAccepted(a.Action.Name)
	}
	return accepted, err
}
