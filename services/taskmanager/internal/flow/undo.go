package flow

import (
	"context"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

// undo takes back, in reverse, what the steps took, and ends the task. Past the point of no return it takes nothing back.
func (x *execution) undo(ctx context.Context) error {
	x.run.failing = x.failure != nil
	for i := len(x.records) - 1; i >= 0 && !x.run.past.Load() && !x.abandoned(); i-- {
		if x.workflow.steps[i].undo == nil || !begun(x.records[i]) {
			continue
		}
		if x.shutdown.Err() != nil {
			return ErrInterrupted
		}
		if err := x.undoStep(ctx, i); err != nil {
			return err
		}
	}
	return x.finish(ctx, x.outcome())
}

// abandoned says that a delete waits: it removes what is left anyway. Other members of a set are not deleted with it, so
// a task that holds some is undone.
func (x *execution) abandoned() bool {
	return x.writer.stopping() == abandon && len(x.run.Members) == 0
}

func begun(record *journalv1.StepRecord) bool {
	return record.GetStatus() != pending && record.GetStatus() != undone
}

// undoStep answers only with what ends the run; a failure to undo is recorded, so that the other steps are still undone.
func (x *execution) undoStep(ctx context.Context, i int) error {
	s, record := x.workflow.steps[i], x.records[i]
	if record.GetStatus() != undoing {
		err := x.writer.record(ctx, phaseUndoing, s.name, func() *journalv1.RecordStepsRequest {
			record.Status = undoing
			return &journalv1.RecordStepsRequest{Steps: cloneAll(x.records[i : i+1]), Progress: x.progress()}
		})
		if err != nil {
			return err
		}
	}
	x.run.Say(record.GetMessage())
	err := x.attempts(ctx, job{
		name: s.name, undo: true, do: s.undo, limit: s.undoTimeout, retry: s.retry, again: func(error) {},
	})
	if ended := x.writer.ended(); ended != nil {
		return ended
	}
	if err != nil && x.shutdown.Err() != nil {
		return ErrInterrupted
	}
	if err != nil {
		x.logger.Error("undo failed", "step", s.name, "error", err)
		x.leftovers = append(x.leftovers, s.name)
		return x.writer.record(ctx, phaseUndone, s.name, func() *journalv1.RecordStepsRequest {
			record.Status, record.Message = failed, "Not undone: "+errs.From(err).Sentence
			return &journalv1.RecordStepsRequest{Steps: cloneAll(x.records[i : i+1]), Progress: x.progress()}
		})
	}
	err = x.writer.record(ctx, phaseUndone, s.name, func() *journalv1.RecordStepsRequest {
		record.Status, record.Message = undone, x.run.saying()
		request := &journalv1.RecordStepsRequest{Steps: cloneAll(x.records[i : i+1]), Progress: x.progress()}
		x.run.gathered.into(request)
		return request
	})
	if err != nil {
		return err
	}
	x.run.apply()
	return nil
}

// outcome is how a task ends that did not succeed. One that was cancelled and left something behind has failed.
func (x *execution) outcome() journalv1.TaskOutcome {
	if len(x.leftovers) > 0 {
		left := "could not undo " + strings.Join(x.leftovers, ", ")
		if x.failure == nil {
			x.failure = &taskv1.TaskError{Code: CodeUndoFailed, Step: x.leftovers[0], Message: left}
		} else {
			x.failure.Message = trimStop(x.failure.GetMessage()) + "; " + left
		}
	}
	if x.failure != nil {
		return journalv1.TaskOutcome_TASK_OUTCOME_FAILED
	}
	return journalv1.TaskOutcome_TASK_OUTCOME_CANCELLED
}
