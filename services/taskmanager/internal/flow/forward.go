package flow

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

const (
	pending   = journalv1.StepStatus_STEP_STATUS_PENDING
	running   = journalv1.StepStatus_STEP_STATUS_RUNNING
	succeeded = journalv1.StepStatus_STEP_STATUS_SUCCEEDED
	failed    = journalv1.StepStatus_STEP_STATUS_FAILED
	undoing   = journalv1.StepStatus_STEP_STATUS_UNDOING
	undone    = journalv1.StepStatus_STEP_STATUS_UNDONE

	abandon = journalv1.StopMode_STOP_MODE_ABANDON
)

// forward runs the steps that have not succeeded yet.
func (x *execution) forward(ctx context.Context) error {
	if x.stopAsked() {
		return x.halt(ctx, x.next())
	}
	if !x.resumed {
		// As the claim has recorded it.
		start(x.records, 0)
	}
	left := x.workflow.action.Timeout - time.Duration(x.claim.GetElapsedMilliseconds())*time.Millisecond
	limited, cancel := context.WithDeadlineCause(ctx, x.claimed.Add(left), errTaskTime)
	defer cancel()
	for i := x.next(); i < len(x.records); i = x.next() {
		if x.stopAsked() {
			return x.halt(ctx, i)
		}
		if x.shutdown.Err() != nil {
			return ErrInterrupted
		}
		err := x.perform(limited, i)
		switch {
		case x.writer.ended() != nil:
			return x.writer.ended()
		case errors.Is(err, ErrInterrupted):
			return err
		case errors.Is(err, errStopped):
			return x.halt(ctx, i)
		case err != nil:
			if err := x.fail(ctx, i, err); err != nil {
				return err
			}
			return x.undo(ctx)
		}
		if i == len(x.records)-1 {
			return x.complete(ctx, i)
		}
		if err := x.done(ctx, i); err != nil {
			return err
		}
	}
	return x.finish(ctx, journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED)
}

// next is the first step that has not succeeded, or one past the last.
func (x *execution) next() int {
	for i, record := range x.records {
		if record.GetStatus() != succeeded {
			return i
		}
	}
	return len(x.records)
}

// stopAsked is false past the point of no return: there is nothing to go back to.
func (x *execution) stopAsked() bool {
	return !x.run.past.Load() && x.writer.stopping() != journalv1.StopMode_STOP_MODE_UNSPECIFIED
}

// start marks a step, if there is one, as running for the first time.
func start(records []*journalv1.StepRecord, i int) {
	if i < len(records) {
		records[i].Status, records[i].Attempt = running, 1
	}
}

// perform does a step. A step that a former run may have begun is done again; that no record says so until it has
// succeeded is deliberate, because the api counts claims without a record to find tasks that kill their worker.
func (x *execution) perform(ctx context.Context, i int) error {
	s, record := x.workflow.steps[i], x.records[i]
	x.writer.atomically(func() {
		x.running, x.noted = i, ""
		x.run.Say("")
		if x.resumed || record.GetStatus() != running {
			record.Status = running
			record.Attempt++
		}
		x.resumed = false
	})
	err := x.attempts(ctx, job{
		name: s.name, do: s.do, limit: s.timeout, retry: s.retry, waits: s.waits, stoppable: true,
		again: func(err error) {
			x.writer.atomically(func() {
				record.Attempt++
				x.run.Say("Trying again: " + errs.From(err).Sentence)
			})
		},
	})
	x.writer.atomically(func() { x.running = -1 })
	return err
}

// done records that a step succeeded, what it changed, and that the next one runs.
func (x *execution) done(ctx context.Context, i int) error {
	err := x.writer.record(ctx, phaseDone, x.records[i].GetName(), func() *journalv1.RecordStepsRequest { return x.success(i) })
	if err != nil {
		return err
	}
	x.takeEffect(i)
	return nil
}

// complete records that the last step succeeded, and the task's end with it, unless the journal asks the task to stop.
func (x *execution) complete(ctx context.Context, i int) error {
	var last *journalv1.RecordStepsRequest
	x.writer.atomically(func() { last = x.success(i) })
	x.takeEffect(i)
	end := x.end(journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED)
	end.Last = last
	ended, err := x.writer.finish(ctx, end)
	switch {
	case err != nil:
		return err
	case ended:
		x.observer.ended(x, end.GetOutcome())
		return nil
	case x.stopAsked():
		return x.halt(ctx, len(x.records))
	}
	return x.finish(ctx, journalv1.TaskOutcome_TASK_OUTCOME_SUCCEEDED)
}

// success is the record of a step that succeeded.
func (x *execution) success(i int) *journalv1.RecordStepsRequest {
	x.records[i].Status, x.records[i].Message = succeeded, x.run.saying()
	start(x.records, i+1)
	request := &journalv1.RecordStepsRequest{
		Steps: cloneAll(x.records[i:min(i+2, len(x.records))]), Progress: x.progress(),
	}
	x.run.gathered.into(request)
	return request
}

// takeEffect makes a step's success known to what follows.
func (x *execution) takeEffect(i int) {
	x.run.apply()
	if x.workflow.steps[i].noReturn {
		x.run.past.Store(true)
	}
}

// fail records why the task failed, before anything is undone.
func (x *execution) fail(ctx context.Context, i int, cause error) error {
	name := x.records[i].GetName()
	x.failure = failureOf(name, cause)
	x.logger.Error("step failed", "step", name, "code", x.failure.GetCode(), "error", cause)
	return x.writer.record(ctx, phaseFailed, name, func() *journalv1.RecordStepsRequest {
		x.records[i].Status, x.records[i].Message = failed, x.failure.GetMessage()
		return &journalv1.RecordStepsRequest{
			Steps: cloneAll(x.records[i : i+1]), Failure: x.failure, Progress: x.progress(),
		}
	})
}

// halt ends the task at the border before step i, or within it if it only waits, because the journal asked for it.
func (x *execution) halt(ctx context.Context, i int) error {
	if i < len(x.records) && x.records[i].GetStatus() == running {
		err := x.writer.record(ctx, phaseFailed, x.records[i].GetName(), func() *journalv1.RecordStepsRequest {
			x.records[i].Status, x.records[i].Message = failed, "Stopped: "+errStopped.Error()+"."
			return &journalv1.RecordStepsRequest{Steps: cloneAll(x.records[i : i+1]), Progress: x.progress()}
		})
		if err != nil {
			return err
		}
	}
	return x.undo(ctx)
}

// finish records the task's end.
func (x *execution) finish(ctx context.Context, outcome journalv1.TaskOutcome) error {
	_, err := x.writer.finish(ctx, x.end(outcome))
	if err == nil {
		x.observer.ended(x, outcome)
	}
	return err
}

func (x *execution) end(outcome journalv1.TaskOutcome) *journalv1.FinishTaskRequest {
	settled := x.workflow.settle(x.run, End{Outcome: outcome, Failure: x.failure})
	return &journalv1.FinishTaskRequest{
		Outcome: outcome, Failure: x.failure, Instance: settled.Instance,
		TaskStatus: string(settled.TaskStatus), Fault: settled.Fault, Deleted: settled.Deleted,
		Members: settled.Members,
	}
}

func cloneAll(records []*journalv1.StepRecord) []*journalv1.StepRecord {
	clones := make([]*journalv1.StepRecord, len(records))
	for i, record := range records {
		clones[i] = proto.CloneOf(record)
	}
	return clones
}
