package flow

import (
	"context"

	"google.golang.org/protobuf/proto"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// notePastReturn is the note that holds the name of the step that went past the point of no return.
const notePastReturn = "past_return"

// PastReturn says that the step now does what cannot be taken back. When it answers nil, this is durable, with all that
// the step has changed and noted so far: from here on the task only goes forward, in this run and in every later one.
// A step marked NoReturn says the same with its success, so this is for one that passes the point before its end.
func (r *Run) PastReturn(ctx context.Context) error {
	if r.past.Load() {
		return nil
	}
	return r.goPast(ctx)
}

// Past says whether the task only goes forward from here on.
func (r *Run) Past() bool { return r.past.Load() }

// goPast records that the running step is past the point of no return.
func (x *execution) goPast(ctx context.Context) error {
	name := x.records[x.running].GetName()
	x.run.Note(notePastReturn, name)
	err := x.writer.record(ctx, phasePast, name, func() *journalv1.RecordStepsRequest {
		request := &journalv1.RecordStepsRequest{
			Steps: []*journalv1.StepRecord{proto.CloneOf(x.records[x.running])}, Progress: x.progress(),
		}
		x.run.gathered.into(request)
		// The step is not through: its next attempt may need them.
		request.DropSecrets = false
		return request
	})
	if err != nil {
		return err
	}
	x.run.apply()
	x.run.past.Store(true)
	return nil
}

// wasPast says whether a former run went past the point of no return.
func (x *execution) wasPast() bool {
	if x.claim.GetNotes()[notePastReturn] != "" {
		return true
	}
	for i, s := range x.workflow.steps {
		if s.noReturn && x.records[i].GetStatus() == succeeded {
			return true
		}
	}
	return false
}
