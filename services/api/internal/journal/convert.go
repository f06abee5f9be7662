package journal

import (
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

func run(r *journalv1.Run) store.Run {
	return store.Run{TaskID: r.GetTaskId(), Epoch: r.GetEpoch()}
}

func stepRecords(steps []store.Step) []*journalv1.StepRecord {
	records := make([]*journalv1.StepRecord, 0, len(steps))
	for _, step := range steps {
		records = append(records, &journalv1.StepRecord{
			Name: step.Name, Status: step.Status, Attempt: int32(step.Attempt), //nolint:gosec // was an int32
			Message: step.Message, Cancellable: step.Cancellable,
		})
	}
	return records
}

func steps(records []*journalv1.StepRecord) []store.Step {
	list := make([]store.Step, 0, len(records))
	for _, record := range records {
		list = append(list, store.Step{
			Name: record.GetName(), Status: record.GetStatus(), Attempt: int(record.GetAttempt()),
			Message: record.GetMessage(), Cancellable: record.GetCancellable(),
		})
	}
	return list
}

func failureProto(e *store.TaskError) *taskv1.TaskError {
	if e == nil {
		return nil
	}
	return &taskv1.TaskError{Code: e.Code, Step: e.Step, Message: e.Message}
}

func failure(e *taskv1.TaskError) *store.TaskError {
	if e == nil {
		return nil
	}
	return &store.TaskError{Code: e.GetCode(), Step: e.GetStep(), Message: e.GetMessage()}
}
