package api_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

const keyHeader = "idempotency-key"

func TestTheSameKeyAndRequestGetTheSameAnswerAndTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	body := order("once")
	body.Users = []*instancev1.NewUser{{Name: "app", Password: "planted"}}
	request := &instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: body}
	var calls sync.WaitGroup
	answers := make([]*instancev1.CreateInstanceResponse, 8)
	for i := range answers {
		calls.Go(func() {
			answer, err := w.instances().CreateInstance(w.as("demo", keyHeader, "k1"), request)
			assert.NoError(t, err)
			answers[i] = answer
		})
	}
	calls.Wait()
	for _, answer := range answers[1:] {
		assert.Equal(t, answers[0].GetTask().GetId(), answer.GetTask().GetId())
		assert.Equal(t, answers[0].GetInstance().GetId(), answer.GetInstance().GetId())
	}
	assert.Len(t, w.state()["tasks"], 1)

	body.Users[0].Password = "other"
	_, err := w.instances().CreateInstance(w.as("demo", keyHeader, "k1"), request)
	assert.True(t, errs.IsKind(err, errs.WrongState), "a changed body")
	_, err = w.instances().DeleteInstance(w.as("demo", keyHeader, "k1"), &instancev1.DeleteInstanceRequest{
		ProjectId: w.project("demo"), InstanceId: answers[0].GetInstance().GetId(),
	})
	require.ErrorContains(t, err, "This Idempotency-Key was used with another request")

	elsewhere, err := w.instances().CreateInstance(w.as("admin", keyHeader, "k1"),
		&instancev1.CreateInstanceRequest{ProjectId: w.project("admin"), Instance: order("elsewhere")})
	require.NoError(t, err, "keys are per project")
	assert.NotEqual(t, answers[0].GetTask().GetId(), elsewhere.GetTask().GetId())
}

func TestAKeyAnswersAlsoWhereTheStateNoLongerAllowsTheAction(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	id := w.active("demo", "kept").GetId()
	restart := &instancev1.RestartInstanceRequest{ProjectId: w.project("demo"), InstanceId: id}
	first, err := w.instances().RestartInstance(w.as("demo", keyHeader, "r"), restart)
	require.NoError(t, err)
	again, err := w.instances().RestartInstance(w.as("demo", keyHeader, "r"), restart)
	require.NoError(t, err)
	assert.Equal(t, first.GetTask().GetId(), again.GetTask().GetId())
	w.finish(w.claim(first.GetTask().GetId()).GetRun(), &journalv1.FinishTaskRequest{TaskStatus: "NONE"})

	remove := &instancev1.DeleteInstanceRequest{ProjectId: w.project("demo"), InstanceId: id}
	gone, err := w.instances().DeleteInstance(w.as("demo", keyHeader, "d"), remove)
	require.NoError(t, err)
	w.finish(w.claim(gone.GetTask().GetId()).GetRun(), &journalv1.FinishTaskRequest{TaskStatus: "NONE", Deleted: true})
	repeated, err := w.instances().DeleteInstance(w.as("demo", keyHeader, "d"), remove)
	require.NoError(t, err, "also when the instance is gone")
	assert.Equal(t, gone.GetTask().GetId(), repeated.GetTask().GetId())
}

func TestACancellationIsRepeatedUnderItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	id := w.create("demo", order("stopped")).GetTask().GetId()
	request := &taskv1.CancelTaskRequest{ProjectId: w.project("demo"), TaskId: id}
	for range 2 {
		cancelled, err := w.tasks().CancelTask(w.as("demo", keyHeader, "c"), request)
		require.NoError(t, err)
		assert.Equal(t, id, cancelled.GetTask().GetId())
		assert.Equal(t, "CANCELLED", cancelled.GetTask().GetStatus())
	}
	_, err := w.tasks().CancelTask(w.as("demo"), request)
	assert.True(t, errs.IsKind(err, errs.WrongState), "without the key")
	request.TaskId = w.create("demo", order("other")).GetTask().GetId()
	_, err = w.tasks().CancelTask(w.as("demo", keyHeader, "c"), request)
	assert.True(t, errs.IsReason(err, "IDEMPOTENCY_KEY_REUSED"), "%v", err)
}

func TestAnUnusableKeyIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t).offering()
	request := &instancev1.CreateInstanceRequest{ProjectId: w.project("demo"), Instance: order("no")}
	for name, pairs := range map[string][]string{
		"empty": {keyHeader, ""}, "long": {keyHeader, strings.Repeat("x", 256)}, "control": {keyHeader, "a\tb"},
		"foreign": {keyHeader, "schlüssel"}, "twice": {keyHeader, "a", keyHeader, "b"},
	} {
		_, err := w.instances().CreateInstance(w.as("demo", pairs...), request)
		assert.True(t, errs.IsKind(err, errs.Invalid), name)
	}
	assert.Empty(t, w.state()["tasks"])
}
