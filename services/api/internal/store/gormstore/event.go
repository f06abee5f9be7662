package gormstore

import (
	"fmt"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/bus"
	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// tellInstance writes an event of an instance.
func (u *unit) tellInstance(projectID string, event *eventv1.InstanceEvent) error {
	return u.tell(projectID, bus.InstanceEvents, &eventv1.Event{Subject: &eventv1.Event_Instance{Instance: event}})
}

// tellTask writes an event of a task.
func (u *unit) tellTask(row *taskRow) error {
	task, err := row.shown()
	if err != nil {
		return err
	}
	return u.tell(row.ProjectID, bus.TaskEvents, &eventv1.Event{Subject: &eventv1.Event_Task{Task: store.TaskProto(task)}})
}

func (u *unit) tell(projectID, sort string, event *eventv1.Event) error {
	event.Time = store.Timestamp(u.now)
	payload, err := proto.Marshal(event)
	if err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	u.messages = append(u.messages, outboxRow{
		Subject: bus.EventSubject(projectID, sort), MessageID: uuid.NewString(), Payload: payload,
	})
	return nil
}

// ring writes the task's command once more, under a new number; the caller saves the task.
func (u *unit) ring(task *taskRow) error {
	a, known := action.Lookup(task.Action)
	if !known {
		return fmt.Errorf("task %s has the unknown action %s", task.ID, task.Action)
	}
	task.Rings++
	task.Rung = u.now.UnixMicro()
	u.messages = append(u.messages, outboxRow{
		Subject: bus.CommandSubject(a), MessageID: bus.MessageID(task.ID, task.Rings), Payload: task.Command,
	})
	return nil
}
