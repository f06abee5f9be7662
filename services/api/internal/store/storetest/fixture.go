package storetest

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// NewInstance makes an instance, for benchmarks.
func NewInstance(tb testing.TB, s store.Store) store.Instance {
	tb.Helper()
	accepted, err := s.Accept(tb.Context(), creation(uuid.NewString()))
	require.NoError(tb, err)
	Settle(tb, s, accepted.Task.ID)
	return accepted.Instance
}

// Restart accepts a restart and answers with its task.
func Restart(tb testing.TB, s store.Store, instanceID string) (taskID string) {
	tb.Helper()
	accepted, err := s.Accept(tb.Context(), acceptance(action.RestartInstance, instanceID))
	if err != nil {
		tb.Error(err)
	}
	return accepted.Task.ID
}

// Settle claims a task and finishes it.
func Settle(tb testing.TB, s store.Store, taskID string) {
	tb.Helper()
	claim, err := s.ClaimTask(tb.Context(), bid(taskID, "worker"))
	if err != nil {
		tb.Error(err)
	}
	end := store.Finish{
		Run: store.Run{TaskID: taskID, Epoch: claim.Task.Epoch}, State: store.TaskSucceeded, TaskStatus: status.TaskNone,
	}
	if _, err := s.FinishTask(tb.Context(), end); err != nil {
		tb.Error(err)
	}
}

// NewReplica makes a replica of an instance.
func NewReplica(tb testing.TB, s store.Store, source store.Instance) store.Instance {
	tb.Helper()
	accepted, err := s.Accept(tb.Context(), replication(source))
	require.NoError(tb, err)
	Settle(tb, s, accepted.Task.ID)
	return accepted.Instance
}

// Promote accepts a promotion and answers with its task.
func Promote(tb testing.TB, s store.Store, instanceID string) (taskID string) {
	tb.Helper()
	accepted, err := s.Accept(tb.Context(), acceptance(action.PromoteToReplicaSource, instanceID))
	require.NoError(tb, err)
	return accepted.Task.ID
}

// OrderReplica accepts the creation of a replica by an order and answers with its task.
func OrderReplica(tb testing.TB, s store.Store, source store.Instance, order *commandv1.CreateReplica) (taskID string) {
	tb.Helper()
	a := replication(source)
	a.Command.Action = &commandv1.Command_CreateReplica{CreateReplica: order}
	accepted, err := s.Accept(tb.Context(), a)
	require.NoError(tb, err)
	return accepted.Task.ID
}
