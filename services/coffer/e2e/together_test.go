package e2e_test

import (
	"net/http"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOfTwoRestartsSentAtOnceOneIsAccepted(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	user := s.signIn("coffer")
	made := user.createReady("contested")
	host := s.machine(made)
	starts := host.databaseStarts()

	// The first one cannot be over before the second one comes.
	agent := host.pidOf("coffer-guestagent")
	require.NoError(t, syscall.Kill(agent, syscall.SIGSTOP))
	answers := make([]answer, 2)
	var together sync.WaitGroup
	for i := range answers {
		together.Go(func() {
			got, err := user.try(http.MethodPost, "/instances/"+made.ID+"/action", map[string]any{"restart": map[string]any{}})
			if assert.NoError(t, err) {
				answers[i] = got
			}
		})
	}
	together.Wait()
	require.NoError(t, syscall.Kill(agent, syscall.SIGCONT))
	accepted, refused := answers[0], answers[1]
	if accepted.code != http.StatusAccepted {
		accepted, refused = refused, accepted
	}
	assert.Equal(t, http.StatusAccepted, accepted.code)
	assert.Equal(t, http.StatusUnprocessableEntity, refused.code, string(refused.body))
	assert.Contains(t, string(refused.body), "REBOOT")
	user.awaitSuccess(taskOf(t, accepted))
	assert.Equal(t, starts+1, host.databaseStarts())
}

func TestADeleteEndsTheRestartThatRuns(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	user := s.signIn("coffer")
	made := user.createReady("doomed")
	restartTask := user.restart(made.ID)
	deleteTask := user.delete(made.ID)

	assert.Equal(t, deleteTask, user.delete(made.ID), "a second delete joins the first")
	user.awaitSuccess(deleteTask)
	assert.Contains(t, []string{"SUCCEEDED", "CANCELLED"}, user.task(restartTask).Status)
	assert.Equal(t, http.StatusNotFound, user.call(http.MethodGet, "/instances/"+made.ID, nil).code)
	assert.Equal(t, inventory{}, s.inventory())
}

func TestAnIdempotencyKeyGivesTheSameAnswerOnce(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	user := s.signIn("coffer")
	body := newInstance("once")
	first := user.call(http.MethodPost, "/instances", body, "Idempotency-Key", "k1")
	again := user.call(http.MethodPost, "/instances", body, "Idempotency-Key", "k1")
	assert.Equal(t, http.StatusOK, again.code, string(again.body))
	assert.Equal(t, instanceIn(t, first).ID, instanceIn(t, again).ID)
	assert.Equal(t, taskOf(t, first), taskOf(t, again))

	other := user.call(http.MethodPost, "/instances", newInstance("twice"), "Idempotency-Key", "k1")
	assert.Equal(t, http.StatusUnprocessableEntity, other.code, string(other.body))
	user.awaitSuccess(taskOf(t, first))
	assert.Len(t, s.inventory().Servers, 1)
}

func TestACancelledCreateEndsInErrorAndDeleteRemovesEverything(t *testing.T) {
	t.Parallel()
	s := startServe(t, newDataDir(t))
	user := s.signIn("coffer")
	made, createTask := user.create(newInstance("unwanted"))
	got := user.call(http.MethodDelete, "/tasks/"+createTask, nil)
	if got.code == http.StatusUnprocessableEntity {
		// It was past the last step that can be cancelled: the answer names that.
		assert.Contains(t, string(got.body), "unprocessableEntity")
		user.awaitSuccess(createTask)
	} else {
		assert.Equal(t, http.StatusAccepted, got.code, string(got.body))
		assert.Equal(t, "CANCELLED", user.awaitEnd(createTask).Status)
		shown := user.show(made.ID)
		assert.Equal(t, "ERROR", shown.Status)
		assert.NotNil(t, shown.Fault)
	}
	user.awaitSuccess(user.delete(made.ID))
	assert.Equal(t, inventory{}, s.inventory())
}
