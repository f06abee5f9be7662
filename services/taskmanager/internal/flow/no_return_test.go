package flow_test

import (
	"context"
	"fmt"
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

var errBroken = errs.New(errs.WrongState, "BROKEN", "It is broken.")

// oneWay takes something, passes the point of no return in its second step, and has one step behind it.
func oneWay(w *world) *flow.Workflow {
	return flow.New(action.CreateInstance, settle).
		Step("first", w.step("first"), flow.Undo(w.undo("first"))).
		Step("second", w.step("second"), flow.Undo(w.undo("second")), flow.NoReturn()).
		Step("third", w.step("third"), flow.Undo(w.undo("third")), flow.Timeout(time.Minute))
}

// passing makes the second step go past the point and fail the first times behind it.
func passing(w *world, failures int) {
	w.acts["second"] = func(ctx context.Context, r *flow.Run) error {
		r.Note("chosen", "b")
		if err := r.PastReturn(ctx); err != nil {
			return err
		}
		if failures--; failures >= 0 {
			return errBroken
		}
		return nil
	}
}

func TestAFailureBehindThePointOfNoReturnUndoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, journal := newWorld(), newJournal()
		fail(w, "third")

		require.NoError(t, run(t, journal, oneWay(w)))

		assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_FAILED, journal.End().GetOutcome())
		assert.Equal(t, []string{"first", "second"}, w.has())
		assert.NotContains(t, w.history(), "undo third")
		assert.Equal(t, flow.CodeStepTimeout, journal.End().GetFailure().GetCode(), "it was tried until its limit")
		assert.Contains(t, journal.End().GetFailure().GetMessage(), "The third thing is broken")
	})
}

func TestAHopelessFailureBehindThePointOfNoReturnEndsTheTaskAtOnce(t *testing.T) {
	w, journal := newWorld(), newJournal()
	w.acts["third"] = func(context.Context, *flow.Run) error { return flow.Terminal("HOPELESS", errBroken) }

	require.NoError(t, run(t, journal, oneWay(w)))

	assert.Equal(t, "HOPELESS", journal.End().GetFailure().GetCode())
	assert.Equal(t, []string{"first", "second"}, w.has())
	assert.EqualValues(t, 1, journal.Step("third").GetAttempt())
}

func TestAFailureBeforeThePointOfNoReturnIsUndone(t *testing.T) {
	w, journal := newWorld(), newJournal()
	fail(w, "second")

	require.NoError(t, run(t, journal, oneWay(w)))

	assert.Empty(t, w.has())
	assert.Contains(t, w.history(), "undo second")
}

func TestAStepThatSaysSoIsPastThePointBeforeItsEnd(t *testing.T) {
	w, journal := newWorld(), newJournal()
	passing(w, 3)

	require.NoError(t, run(t, journal, oneWay(w)))

	assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED, journal.End().GetOutcome())
	assert.EqualValues(t, 4, journal.Step("second").GetAttempt(), "what would be final before the point is tried again behind it")
	assert.Equal(t, "b", journal.Notes()["chosen"])
}

func TestNoStopIsHeardBehindThePointOfNoReturn(t *testing.T) {
	for _, mode := range []journalv1.StopMode{journalv1.StopMode_STOP_MODE_UNDO, journalv1.StopMode_STOP_MODE_ABANDON} {
		t.Run(mode.String(), func(t *testing.T) {
			w, journal := newWorld(), newJournal()
			w.acts["second"] = func(context.Context, *flow.Run) error {
				journal.Stop(mode)
				return nil
			}

			require.NoError(t, run(t, journal, oneWay(w)))

			assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED, journal.End().GetOutcome())
			assert.Equal(t, []string{"first", "second", "third"}, w.has())
		})
	}
}

func TestTheEndBehindThePointOfNoReturnIsRecordedAlthoughAStopIsAskedFor(t *testing.T) {
	for n := 1; n <= 2; n++ {
		w, journal := newWorld(), newJournal()
		w.acts["third"] = func(context.Context, *flow.Run) error {
			journal.Stop(journalv1.StopMode_STOP_MODE_UNDO)
			// The last step's record, which is not the end, and the end.
			journal.DieAt(n, true)
			return nil
		}
		require.ErrorIs(t, run(t, journal, oneWay(w)), flow.ErrSuperseded)
		if journal.End() == nil {
			require.NoError(t, run(t, journal, oneWay(w)))
		}

		assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED, journal.End().GetOutcome())
		assert.Equal(t, []string{"first", "second", "third"}, w.history())
	}
}

func TestStepsFromThePointOfNoReturnOnCannotBeCancelled(t *testing.T) {
	journal := newJournal()

	require.NoError(t, run(t, journal, oneWay(newWorld())))

	assert.True(t, journal.Step("first").GetCancellable())
	assert.False(t, journal.Step("second").GetCancellable())
	assert.False(t, journal.Step("third").GetCancellable())
}

// TestTheNextRunKnowsThatThePointWasPassed lets the run die around each write of a task that passes the point within a
// step, and whose last step is hopeless: whoever finishes it never undoes what was done behind the point.
func TestTheNextRunKnowsThatThePointWasPassed(t *testing.T) {
	lame := func() (*world, *flowtest.Journal) {
		w, journal := newWorld(), newJournal()
		passing(w, 1)
		w.acts["third"] = func(context.Context, *flow.Run) error { return flow.Terminal("HOPELESS", errBroken) }
		return w, journal
	}
	calm, calmJournal := lame()
	require.NoError(t, run(t, calmJournal, oneWay(calm)))
	for n := 1; n <= len(calmJournal.Writes()); n++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("write=%d/after=%t", n, after), func(t *testing.T) {
				w, journal := lame()
				journal.DieAt(n, after)
				require.ErrorIs(t, run(t, journal, oneWay(w)), flow.ErrSuperseded)

				if journal.End() == nil {
					require.NoError(t, run(t, journal, oneWay(w)))
				}

				assert.Equal(t, "HOPELESS", journal.End().GetFailure().GetCode())
				assert.Equal(t, calm.has(), w.has())
				assert.Equal(t, calmJournal.Steps(), journal.Steps())
			})
		}
	}
}
