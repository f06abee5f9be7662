package flow_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

var errAway = errs.New(errs.Unavailable, "AWAY", "The api is away.")

func TestACancelledTaskIsUndoneFromTheNextBorder(t *testing.T) {
	w, journal := newWorld(), newJournal()
	w.acts["second"] = func(context.Context, *flow.Run) error {
		journal.Stop(journalv1.StopMode_STOP_MODE_UNDO)
		return nil
	}

	require.NoError(t, run(t, journal, threeSteps(w)))

	assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED, journal.End().GetOutcome())
	assert.Equal(t, []string{"first", "second", "undo third", "undo first"}, w.history())
	assert.Equal(t, []string{"second"}, w.has())
	assert.Nil(t, journal.End().GetFailure())
}

func TestACancelAfterTheLastStepIsStillHonoured(t *testing.T) {
	w, journal := newWorld(), newJournal()
	w.acts["third"] = func(context.Context, *flow.Run) error {
		journal.Stop(journalv1.StopMode_STOP_MODE_UNDO)
		return nil
	}

	require.NoError(t, run(t, journal, threeSteps(w)))

	assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED, journal.End().GetOutcome())
	assert.Equal(t, []string{"second"}, w.has())
}

func TestATaskThatWasCancelledBeforeItsFirstClaimDoesNothing(t *testing.T) {
	w, journal := newWorld(), newJournal()
	journal.Stop(journalv1.StopMode_STOP_MODE_UNDO)

	require.NoError(t, run(t, journal, threeSteps(w)))

	assert.Empty(t, w.history())
	assert.Equal(t, []string{"finish=CANCELLED"}, journal.Writes())
}

func TestADeleteThatWaitsEndsTheTaskWithoutUndo(t *testing.T) {
	w, journal := newWorld(), newJournal()
	w.acts["second"] = func(context.Context, *flow.Run) error {
		journal.Stop(journalv1.StopMode_STOP_MODE_ABANDON)
		return nil
	}

	require.NoError(t, run(t, journal, threeSteps(w)))

	assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED, journal.End().GetOutcome())
	assert.Equal(t, []string{"first", "second"}, w.history())
}

func TestADeathWhileCancellingIsResumed(t *testing.T) {
	for n := 2; n <= 7; n++ {
		w, journal := newWorld(), newJournal()
		w.acts["second"] = func(context.Context, *flow.Run) error {
			journal.Stop(journalv1.StopMode_STOP_MODE_UNDO)
			return nil
		}
		journal.DieAt(n, n%2 == 1)
		require.ErrorIs(t, run(t, journal, threeSteps(w)), flow.ErrSuperseded)

		if journal.End() == nil {
			require.NoError(t, run(t, journal, threeSteps(w)))
		}

		assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED, journal.End().GetOutcome())
		assert.NotContains(t, w.has(), "first")
		assert.NotContains(t, w.has(), "third")
	}
}

func TestAStepThatOnlyWaitsIsCutOffByAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, journal := newWorld(), newJournal()
		w.acts["wait"] = func(ctx context.Context, _ *flow.Run) error {
			journal.Stop(journalv1.StopMode_STOP_MODE_ABANDON)
			<-ctx.Done()
			return ctx.Err()
		}
		began := time.Now()

		require.NoError(t, run(t, journal, flow.New(action.CreateInstance, settle).Step("wait", w.step("wait"), flow.Waits())))

		assert.Equal(t, flowtest.Lease/3, time.Since(began), "the next renewal of the lease brings the news")
		assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED, journal.End().GetOutcome())
	})
}

func TestAShutdownStopsAtTheBorderAndTheNextClaimGoesOn(t *testing.T) {
	w, journal := newWorld(), newJournal()
	ctx, shutdown := context.WithCancel(t.Context())
	w.acts["second"] = func(context.Context, *flow.Run) error {
		shutdown()
		return nil
	}
	engine := flow.NewEngine(journal, []*flow.Workflow{threeSteps(w)})

	require.ErrorIs(t, journal.Run(ctx, engine), flow.ErrInterrupted)
	assert.Equal(t, []string{"first=SUCCEEDED", "second=SUCCEEDED", "third=RUNNING"}, journal.Steps())
	require.NoError(t, journal.Run(t.Context(), engine))

	assert.Equal(t, []string{"first", "second", "third"}, w.history())
	assert.EqualValues(t, 2, journal.Step("third").GetAttempt())
}

func TestAShutdownCutsAStepOffAfterTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, journal := newWorld(), newJournal()
		ctx, shutdown := context.WithCancel(t.Context())
		w.acts["second"] = func(ctx context.Context, _ *flow.Run) error {
			shutdown()
			<-ctx.Done()
			return ctx.Err()
		}
		began := time.Now()

		err := journal.Run(ctx, flow.NewEngine(journal, []*flow.Workflow{threeSteps(w)}, flow.WithGrace(3*time.Second)))

		require.ErrorIs(t, err, flow.ErrInterrupted)
		assert.Equal(t, 3*time.Second, time.Since(began))
		assert.Nil(t, journal.End())
	})
}

func TestARunThatIsSupersededStopsWithinItsStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, journal := newWorld(), newJournal()
		w.acts["second"] = func(ctx context.Context, _ *flow.Run) error {
			journal.Supersede()
			<-ctx.Done()
			return ctx.Err()
		}

		require.ErrorIs(t, run(t, journal, threeSteps(w)), flow.ErrSuperseded)

		assert.Equal(t, []string{"first", "second"}, w.history(), "nothing is undone by a run that has lost its task")
	})
}

func TestARunThatAGuestRefusesAsOldStops(t *testing.T) {
	w, journal := newWorld(), newJournal()
	w.acts["second"] = func(context.Context, *flow.Run) error {
		return errs.New(errs.Conflict, "RUN_SUPERSEDED", "A newer run has called this guest.").GRPCStatus().Err()
	}

	require.ErrorIs(t, run(t, journal, threeSteps(w)), flow.ErrSuperseded)

	assert.Nil(t, journal.End())
}

func TestAJournalThatIsAwayForLessThanTheLeaseIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, journal := newWorld(), newJournal()
		w.acts["second"] = func(context.Context, *flow.Run) error {
			journal.Away(errAway)
			time.AfterFunc(flowtest.Lease-2*time.Second, func() { journal.Away(nil) })
			return nil
		}

		require.NoError(t, run(t, journal, threeSteps(w)))

		assert.Equal(t, []string{"first", "second", "third"}, w.history())
	})
}

func TestARunGivesUpWhenItsLeaseCouldHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, journal := newWorld(), newJournal()
		w.acts["second"] = func(ctx context.Context, _ *flow.Run) error {
			journal.Away(errAway)
			<-ctx.Done()
			return ctx.Err()
		}
		began := time.Now()

		require.ErrorIs(t, run(t, journal, threeSteps(w)), flow.ErrLeaseLost)

		assert.InDelta(t, flowtest.Lease, time.Since(began), float64(time.Second))
		journal.Away(nil)
		delete(w.acts, "second")
		require.NoError(t, run(t, journal, threeSteps(w)))
		assert.Equal(t, []string{"first", "second", "second", "third"}, w.history())
	})
}

func TestARecordThatTheJournalRefusesEndsTheRun(t *testing.T) {
	w, journal := newWorld(), newJournal()
	w.acts["second"] = func(context.Context, *flow.Run) error {
		journal.Away(errs.New(errs.Invalid, "BAD", "That is no record."))
		return nil
	}

	require.ErrorIs(t, run(t, journal, threeSteps(w)), flow.ErrRefused)
}
