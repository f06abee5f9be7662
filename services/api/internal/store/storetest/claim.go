package storetest

import (
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

const (
	claimed = journalv1.ClaimOutcome_CLAIM_OUTCOME_CLAIMED
	busy    = journalv1.ClaimOutcome_CLAIM_OUTCOME_BUSY
	gone    = journalv1.ClaimOutcome_CLAIM_OUTCOME_GONE
)

var claimTests = map[string]func(*suite){
	"AClaimStartsTheTaskUnderANewEpoch": func(s *suite) {
		instance := s.running(project)
		task := s.act(action.RestartInstance, instance.ID)
		s.outbox()
		claim := s.claim(task.ID, "worker")
		require.Equal(s, claimed, claim.Outcome)
		assert.Equal(s, instance.Epoch+1, claim.Task.Epoch)
		assert.Equal(s, instance.Epoch+1, claim.Instance.Epoch)
		assert.Equal(s, store.TaskRunning, claim.Task.State)
		assert.Equal(s, s.clock.Now(), *claim.Task.Started)
		assert.Equal(s, s.clock.Now().Add(lease), *claim.Task.LeaseExpires)
		assert.Equal(s, []string{"restart_instance RUNNING"}, s.outbox().tasks)
	},
	"AClaimIsRefusedWhileAnotherRunHoldsTheLease": func(s *suite) {
		instance := s.running(project)
		task := s.act(action.RestartInstance, instance.ID)
		s.begin(task.ID)
		assert.Equal(s, busy, s.claim(task.ID, "another").Outcome)
		s.clock.advance(lease)
		assert.Equal(s, claimed, s.claim(task.ID, "another").Outcome)
	},
	"AWorkerTakesItsOwnTaskBackWithoutWaiting": func(s *suite) {
		instance := s.running(project)
		task := s.act(action.RestartInstance, instance.ID)
		former := s.begin(task.ID)
		run := s.begin(task.ID)
		assert.Equal(s, former.Epoch+1, run.Epoch)
		_, err := s.RenewLease(s.ctx, former, lease)
		require.ErrorIs(s, err, store.ErrSuperseded)
	},
	"EpochsRiseOverAllTasksOfAnInstance": func(s *suite) {
		instance := s.running(project)
		last := instance.Epoch
		for range 3 {
			run := s.begin(s.act(action.RestartInstance, instance.ID).ID)
			assert.Greater(s, run.Epoch, last)
			last = run.Epoch
			s.finish(store.Finish{Run: run, State: store.TaskSucceeded})
		}
	},
	"ATaskThatEndedOrNeverWasIsGone": func(s *suite) {
		instance := s.running(project)
		task := s.act(action.RestartInstance, instance.ID)
		s.finish(store.Finish{Run: s.begin(task.ID), State: store.TaskSucceeded})
		assert.Equal(s, gone, s.claim(task.ID, "worker").Outcome)
		assert.Equal(s, gone, s.claim(uuid.NewString(), "worker").Outcome)
	},
	"ALaterTaskWaitsForAnEarlierOne": func(s *suite) {
		instance := s.running(project)
		first := s.act(action.RestartInstance, instance.ID)
		second := s.act(action.RestartInstance, instance.ID)
		assert.Equal(s, busy, s.claim(second.ID, "worker").Outcome)
		s.begin(first.ID)
		s.clock.advance(2 * lease)
		assert.Equal(s, busy, s.claim(second.ID, "worker").Outcome)
	},
	"OfFiftyClaimsAtOnceOneHasTheTask": func(s *suite) {
		instance := s.running(project)
		task := s.act(action.RestartInstance, instance.ID)
		var outcomes [50]journalv1.ClaimOutcome
		failures := inParallel(len(outcomes), func(i int) error {
			claim, err := s.ClaimTask(s.ctx, bid(task.ID, uuid.NewString()))
			outcomes[i] = claim.Outcome
			return err
		})
		require.Equal(s, len(outcomes), succeeded(failures))
		count := map[journalv1.ClaimOutcome]int{}
		for _, outcome := range outcomes {
			count[outcome]++
		}
		assert.Equal(s, map[journalv1.ClaimOutcome]int{claimed: 1, busy: 49}, count)
	},
	"TheFirstOneRecordsThePlan": func(s *suite) {
		instance := s.running(project)
		task := s.act(action.RestartInstance, instance.ID)
		s.outbox()
		plan := []store.Step{{Name: "check_guest", Status: running, Attempt: 1, Cancellable: true}, {Name: "restart_database", Status: pending}}
		claim, err := s.ClaimTask(s.ctx, bid(task.ID, "worker", plan...))
		require.NoError(s, err)
		began := s.clock.Now()
		plan[0].Started = &began
		assert.Empty(s, claim.Former)
		assert.Equal(s, plan, claim.Task.Steps)
		assert.Equal(s, []string{"restart_instance RUNNING"}, s.outbox().tasks)

		s.clock.advance(lease)
		claim, err = s.ClaimTask(s.ctx, bid(task.ID, "another", store.Step{Name: "check_guest", Status: running, Attempt: 1}))
		require.NoError(s, err)
		assert.Equal(s, plan, claim.Former)
		assert.Equal(s, plan, s.task(task.ID).Steps)
	},
	"OfATaskThatShallStopItRecordsNoPlan": func(s *suite) {
		instance := s.running(project)
		task := s.act(action.RestartInstance, instance.ID)
		s.begin(task.ID)
		_, err := s.CancelTask(s.ctx, project, task.ID, nil, func(store.Task) error { return nil })
		require.NoError(s, err)
		s.clock.advance(lease)
		claim, err := s.ClaimTask(s.ctx, bid(task.ID, "another", store.Step{Name: "check_guest", Status: running, Attempt: 1}))
		require.NoError(s, err)
		assert.Empty(s, claim.Former)
		assert.Empty(s, claim.Task.Steps)
		assert.Equal(s, journalv1.StopMode_STOP_MODE_UNDO, claim.Task.Stop)
	},
	"ATaskThatKillsItsWorkersFails": func(s *suite) {
		instance := s.running(project)
		task := s.act(action.RestartInstance, instance.ID)
		for range maxClaims {
			s.begin(task.ID)
			s.clock.advance(lease)
		}
		s.outbox()
		assert.Equal(s, gone, s.claim(task.ID, "worker").Outcome)
		failed := s.task(task.ID)
		assert.Equal(s, store.TaskFailed, failed.State)
		assert.Equal(s, "WORKER_LOST", failed.Error.Code)
		left := s.instance(instance.ID)
		assert.Equal(s, status.TaskNone, left.TaskStatus)
		require.NotNil(s, left.Fault)
		assert.Equal(s, []string{"restart_instance FAILED"}, s.outbox().tasks)
	},
	"ACreationThatKillsItsWorkersLeavesAnError": func(s *suite) {
		created := s.accept(creation(project))
		for range maxClaims {
			s.begin(created.Task.ID)
		}
		assert.Equal(s, gone, s.claim(created.Task.ID, "worker").Outcome)
		assert.Equal(s, status.TaskBuildingErrorServer, s.instance(created.Instance.ID).TaskStatus)
		assert.Equal(s, 1, s.quota(project)[store.ResourceInstances])
	},
	"ARecordSetsTheCountOfClaimsBack": func(s *suite) {
		instance := s.running(project)
		task := s.act(action.RestartInstance, instance.ID)
		for range 3 * maxClaims {
			run := s.begin(task.ID)
			_, err := s.RecordSteps(s.ctx, store.Record{Run: run})
			require.NoError(s, err)
		}
	},
}
