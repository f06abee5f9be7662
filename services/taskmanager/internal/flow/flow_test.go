package flow_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow/flowtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is what the steps of the test's workflow act on. Like a real one it does a thing once for its operation id.
type world struct {
	mu    sync.Mutex
	calls []string
	done  map[string]bool
	// acts replaces what a step does.
	acts map[string]flow.Func
}

func newWorld() *world { return &world{done: map[string]bool{}, acts: map[string]flow.Func{}} }

// step makes a step that takes something, once.
func (w *world) step(name string) flow.Func {
	return func(ctx context.Context, r *flow.Run) error {
		w.called(name)
		if act, replaced := w.acts[name]; replaced {
			if err := act(ctx, r); err != nil {
				return err
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.done[name] = true
		r.Change(&journalv1.InstancePatch{ServerStatus: proto.String(name)})
		return nil
	}
}

// undo makes the undo of a step.
func (w *world) undo(name string) flow.Func {
	return func(ctx context.Context, r *flow.Run) error {
		w.called("undo " + name)
		if act, replaced := w.acts["undo "+name]; replaced {
			if err := act(ctx, r); err != nil {
				return err
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.done, name)
		return nil
	}
}

func (w *world) called(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, name)
}

// has are the things that were taken and not given back.
func (w *world) has() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := []string{}
	for name := range w.done {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func (w *world) history() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

func settle(_ *flow.Run, end flow.End) flow.Settlement {
	settled := flow.Settlement{TaskStatus: status.TaskNone}
	if end.Failure != nil {
		settled.Fault = &journalv1.Fault{Message: flow.Sentence(end.Failure, "try again")}
	}
	return settled
}

// threeSteps has a step with undo, one without, and one with undo again.
func threeSteps(w *world) *flow.Workflow {
	return flow.New(action.CreateInstance, settle).
		Step("first", w.step("first"), flow.Undo(w.undo("first"))).
		Step("second", w.step("second")).
		Step("third", w.step("third"), flow.Undo(w.undo("third")), flow.Timeout(time.Minute))
}

func newJournal() *flowtest.Journal {
	return flowtest.New(
		&commandv1.Command{TaskId: "task", InstanceId: "instance", Action: &commandv1.Command_CreateInstance{}},
		&journalv1.Instance{Id: "instance"},
	)
}

// run claims the task and runs it once.
func run(t testing.TB, journal *flowtest.Journal, workflow *flow.Workflow, options ...flow.EngineOption) error {
	t.Helper()
	return journal.Run(t.Context(), flow.NewEngine(journal, []*flow.Workflow{workflow}, options...))
}

func TestAWorkflowRunsItsStepsInOrderWithOneWriteAfterEach(t *testing.T) {
	w, journal := newWorld(), newJournal()

	require.NoError(t, run(t, journal, threeSteps(w)))

	assert.Equal(t, []string{"first", "second", "third"}, w.history())
	assert.Equal(t, []string{
		"first=SUCCEEDED,second=RUNNING",
		"second=SUCCEEDED,third=RUNNING",
		"third=SUCCEEDED,finish=SUCCEEDED",
	}, journal.Writes())
	assert.Equal(t, "third", journal.Instance().GetServerStatus())
	assert.EqualValues(t, 1, journal.Step("second").GetAttempt())
}

// TestADeathAtAnyWriteChangesNothingButTime is the promise of the package: for a workflow that succeeds, and for one
// that fails in each of its steps, a run that dies before or after any journal write is finished by the next one with the
// same end state, and nothing is taken or given back that would not have been.
func TestADeathAtAnyWriteChangesNothingButTime(t *testing.T) {
	for _, failing := range []string{"", "first", "second", "third"} {
		calm, calmJournal := newWorld(), newJournal()
		fail(calm, failing)
		require.NoError(t, run(t, calmJournal, threeSteps(calm)))
		writes := len(calmJournal.Writes())
		for n := 1; n <= writes; n++ {
			for _, after := range []bool{false, true} {
				t.Run(fmt.Sprintf("failing=%s/write=%d/after=%t", failing, n, after), func(t *testing.T) {
					w, journal := newWorld(), newJournal()
					fail(w, failing)
					journal.DieAt(n, after)
					require.ErrorIs(t, run(t, journal, threeSteps(w)), flow.ErrSuperseded)

					if journal.End() == nil {
						require.NoError(t, run(t, journal, threeSteps(w)))
					}

					assert.Equal(t, calmJournal.Steps(), journal.Steps())
					assert.Equal(t, calm.has(), w.has())
					assert.Equal(t, calmJournal.End().GetOutcome(), journal.End().GetOutcome())
					assert.Equal(t, calmJournal.End().GetFault().GetMessage(), journal.End().GetFault().GetMessage())
					assert.Equal(t, calmJournal.Instance().GetServerStatus(), journal.Instance().GetServerStatus())
					assert.LessOrEqual(t, len(w.history()), len(calm.history())+1, "at most the step that was running is repeated")
				})
			}
		}
	}
}

func fail(w *world, name string) {
	if name != "" {
		w.acts[name] = func(context.Context, *flow.Run) error {
			return errs.New(errs.WrongState, "BROKEN", "The %s thing is broken.", name)
		}
	}
}

func TestAFailureIsRecordedFirstThenUndoneInReverse(t *testing.T) {
	w, journal := newWorld(), newJournal()
	fail(w, "third")

	require.NoError(t, run(t, journal, threeSteps(w)))

	assert.Equal(t, []string{"first", "second", "third", "undo third", "undo first"}, w.history())
	assert.Equal(t, []string{
		"third=FAILED", "third=UNDOING", "third=UNDONE", "first=UNDOING", "first=UNDONE", "finish=FAILED",
	}, journal.Writes()[2:])
	end := journal.End()
	assert.Equal(t, "BROKEN", end.GetFailure().GetCode())
	assert.Equal(t, "third", end.GetFailure().GetStep())
	assert.Equal(t, "third: The third thing is broken; try again", end.GetFault().GetMessage())
}

func TestAnUndoThatFailsKeepsNoOtherFromBeingTried(t *testing.T) {
	w, journal := newWorld(), newJournal()
	fail(w, "third")
	fail(w, "undo third")

	require.NoError(t, run(t, journal, threeSteps(w)))

	assert.Equal(t, []string{"first=UNDONE", "second=SUCCEEDED", "third=FAILED"}, journal.Steps())
	assert.Contains(t, journal.End().GetFailure().GetMessage(), "could not undo third")
}

func TestAPanicIsAFailedStep(t *testing.T) {
	w, journal := newWorld(), newJournal()
	w.acts["second"] = func(context.Context, *flow.Run) error { panic("a fault of the program") }

	require.NoError(t, run(t, journal, threeSteps(w)))

	assert.Equal(t, flow.CodePanic, journal.End().GetFailure().GetCode())
	assert.NotContains(t, journal.End().GetFailure().GetMessage(), "a fault of", "what panicked is for the log alone")
	assert.Empty(t, w.has())
}

func TestAPassingFailureIsTriedAgainUntilItPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, journal := newWorld(), newJournal()
		left := 3
		w.acts["second"] = func(context.Context, *flow.Run) error {
			if left--; left >= 0 {
				return errs.New(errs.Unavailable, "AWAY", "The guest is away.")
			}
			return nil
		}

		require.NoError(t, run(t, journal, threeSteps(w)))

		assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED, journal.End().GetOutcome())
		assert.EqualValues(t, 4, journal.Step("second").GetAttempt())
	})
}

func TestAStepEndsAtItsTimeLimitAndSaysWhatWasInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, journal := newWorld(), newJournal()
		w.acts["third"] = func(context.Context, *flow.Run) error {
			return errs.New(errs.Unavailable, "AWAY", "The guest is away.")
		}
		began := time.Now()

		require.NoError(t, run(t, journal, threeSteps(w)))

		assert.Equal(t, time.Minute, time.Since(began))
		assert.Equal(t, flow.CodeStepTimeout, journal.End().GetFailure().GetCode())
		assert.Equal(t, "third: it took longer than 1m0s (The guest is away.); try again", journal.End().GetFault().GetMessage())
		assert.Greater(t, journal.Renewals(), 10, "the lease was kept meanwhile")
	})
}

func TestATaskEndsAtItsTimeLimitOverAllItsRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, journal := newWorld(), newJournal()
		row, _ := action.Lookup(action.CreateInstance)
		journal.Elapsed(row.Timeout - 10*time.Second)
		w.acts["third"] = func(ctx context.Context, _ *flow.Run) error {
			<-ctx.Done()
			return ctx.Err()
		}
		began := time.Now()

		require.NoError(t, run(t, journal, threeSteps(w)))

		assert.Equal(t, 10*time.Second, time.Since(began))
		assert.Equal(t, flow.CodeTaskTimeout, journal.End().GetFailure().GetCode())
		assert.Equal(t, []string{"second"}, w.has(), "undoing has time of its own")
	})
}

func TestWhatALongStepSaysIsRecordedWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, journal := newWorld(), newJournal()
		w.acts["second"] = func(_ context.Context, r *flow.Run) error {
			for n := range 9 {
				r.Say(fmt.Sprintf("part %d", n))
				time.Sleep(300 * time.Millisecond)
			}
			return nil
		}

		require.NoError(t, run(t, journal, threeSteps(w)))

		notes := 0
		for _, write := range journal.Writes() {
			if write == "second=RUNNING" {
				notes++
			}
		}
		assert.Equal(t, 2, notes, "at most one a second")
		assert.Equal(t, "part 8", journal.Step("second").GetMessage())
	})
}

func TestAStepThatHasLeftTheCodeIsPassed(t *testing.T) {
	w, journal := newWorld(), newJournal()
	older := flow.New(action.CreateInstance, settle).Step("gone", w.step("gone")).Step("first", w.step("first"))
	journal.DieAt(1, true)
	require.ErrorIs(t, run(t, journal, older), flow.ErrSuperseded)

	require.NoError(t, run(t, journal, threeSteps(w)))

	assert.Equal(t, []string{"gone", "first", "second", "third"}, w.history())
	assert.Equal(t, journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED, journal.End().GetOutcome())
}

func TestAnUnknownActionFailsInsteadOfComingBackForEver(t *testing.T) {
	journal := newJournal()

	require.NoError(t, journal.Run(t.Context(), flow.NewEngine(journal, nil)))

	assert.Equal(t, flow.CodeUnknownAction, journal.End().GetFailure().GetCode())
	assert.Contains(t, journal.End().GetFault().GetMessage(), "upgrade the taskmanagers")
}

func TestSecretsAreFetchedInTheStepAndDroppedWithItsRecord(t *testing.T) {
	w, journal := newWorld(), newJournal()
	journal.Secret("user@%", "hunter2")
	var seen map[string]string
	w.acts["first"] = func(ctx context.Context, r *flow.Run) (err error) {
		seen, err = r.Secrets(ctx)
		r.DropSecrets()
		return err
	}
	journal.OnWrite(func(write string) {
		if write == "first=SUCCEEDED,second=RUNNING" {
			assert.Empty(t, journal.Secrets())
		}
	})

	require.NoError(t, run(t, journal, threeSteps(w)))

	assert.Equal(t, "hunter2", seen["user@%"])
}

func TestAnOperationKeepsItsNameOverAttemptsAndRuns(t *testing.T) {
	w, journal := newWorld(), newJournal()
	var names []string
	w.acts["second"] = func(_ context.Context, r *flow.Run) error {
		names = append(names, r.OperationID())
		return nil
	}
	fail(w, "third")
	w.acts["undo first"] = func(_ context.Context, r *flow.Run) error {
		names = append(names, r.OperationID())
		return nil
	}
	journal.DieAt(2, false)
	require.ErrorIs(t, run(t, journal, threeSteps(w)), flow.ErrSuperseded)

	require.NoError(t, run(t, journal, threeSteps(w)))

	assert.Equal(t, []string{"task/second", "task/second", "task/first/undo"}, names)
}
