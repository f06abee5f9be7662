package store

import (
	"strings"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/status"
	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

// Timestamp writes a time as every time on the wire but one is written: UTC, no zone, no fraction.
func Timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }

// Inputs are what the shown states are computed from, as of now.
func (i Instance) Inputs(now time.Time) status.Inputs {
	heard := i.ServiceStatusUpdated
	return status.Inputs{
		Task:    i.TaskStatus,
		Server:  i.ServerStatus,
		Service: i.ServiceStatus,
		Deleted: i.Deleted != nil,
		Silent:  i.Silent || !heard.IsZero() && now.Sub(heard) > status.HeartbeatExpiry,
	}
}

// InstanceEvent is the instance as events tell it, as of now. A fault's details are for admins, so it has none.
func InstanceEvent(i Instance, now time.Time) *eventv1.InstanceEvent {
	in := i.Inputs(now)
	event := &eventv1.InstanceEvent{
		Id:              i.ID,
		Name:            i.Name,
		Status:          status.Shown(in),
		OperatingStatus: status.Operating(in),
		Deleted:         in.Deleted,
	}
	if i.Fault != nil {
		event.Fault = &instancev1.Fault{Message: i.Fault.Message, Created: Timestamp(i.Fault.Created)}
	}
	return event
}

// TaskProto is the task as users see it.
func TaskProto(t Task) *taskv1.Task {
	task := &taskv1.Task{
		Id:           t.ID,
		Action:       string(t.Action),
		InstanceId:   t.InstanceID,
		InstanceName: t.InstanceName,
		Status:       string(t.State),
		Progress:     int32(t.Progress), //nolint:gosec // 0 to 100
		Steps:        make([]*taskv1.TaskStep, 0, len(t.Steps)),
		Created:      Timestamp(t.Created),
		Started:      optionalTimestamp(t.Started),
		Finished:     optionalTimestamp(t.Finished),
		RequestId:    t.RequestID,
	}
	for _, step := range t.Steps {
		task.Steps = append(task.Steps, &taskv1.TaskStep{
			Name:     step.Name,
			Status:   stepWord(step.Status),
			Attempt:  int32(step.Attempt), //nolint:gosec // a handful of attempts
			Started:  optionalTimestamp(step.Started),
			Finished: optionalTimestamp(step.Finished),
			Message:  step.Message,
		})
	}
	if t.Error != nil {
		task.Error = &taskv1.TaskError{Code: t.Error.Code, Step: t.Error.Step, Message: t.Error.Message}
	}
	return task
}

func stepWord(s journalv1.StepStatus) string {
	return strings.TrimPrefix(s.String(), "STEP_STATUS_")
}

func optionalTimestamp(t *time.Time) *string {
	if t == nil {
		return nil
	}
	written := Timestamp(*t)
	return &written
}
