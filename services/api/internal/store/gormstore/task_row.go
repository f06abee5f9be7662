package gormstore

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/status"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// taskRow maps the table tasks. What is only ever created is not written again, and its indexes are left alone.
type taskRow struct {
	ID         string `gorm:"primaryKey"`
	InstanceID string `gorm:"<-:create"`
	// Ordinal is the task's place among those of its instance, in order of acceptance.
	Ordinal      int64       `gorm:"<-:create"`
	InstanceName string      `gorm:"<-:create"`
	ProjectID    string      `gorm:"<-:create"`
	RequestID    string      `gorm:"<-:create"`
	Action       action.Name `gorm:"<-:create"`
	State        store.TaskState
	// StatusBefore is the task status to go back to when no run ever starts the task.
	StatusBefore status.Task `gorm:"<-:create"`
	Progress     int
	Command      []byte `gorm:"<-:create"`
	// Steps is JSON: they are read and written whole, in one statement with their task.
	Steps        string
	Epoch        int64
	Claims       int
	Worker       string
	LeaseExpires *int64
	Stop         int32
	ErrorCode    string
	ErrorStep    string
	ErrorMessage string
	// Rings counts the commands written to the outbox, the last of them at Rung; 0 when there was none.
	Rings int
	Rung  int64
	// Notes and Quota are JSON objects; empty for none.
	Notes    string
	Quota    string
	Created  int64 `gorm:"<-:create"`
	Started  *int64
	Finished *int64

	// was is the row as the database has it; set where it was read to be changed.
	was *taskRow
	// decoded are the steps that the text stepsOf says.
	decoded []store.Step
	stepsOf string
}

func (taskRow) TableName() string { return "tasks" }

// stepJSON is a step inside a task's row.
type stepJSON struct {
	Name        string `json:"name"`
	Status      int32  `json:"status"`
	Attempt     int    `json:"attempt,omitempty"`
	Message     string `json:"message,omitempty"`
	Cancellable bool   `json:"cancellable,omitempty"`
	Started     *int64 `json:"started,omitempty"`
	Finished    *int64 `json:"finished,omitempty"`
}

// markWritten is for when the database has the row as it is now.
func (r *taskRow) markWritten() {
	was := *r
	was.was = nil
	r.was = &was
}

func (r *taskRow) leased(now time.Time) bool {
	return r.State == store.TaskRunning && r.LeaseExpires != nil && *r.LeaseExpires > now.UnixMicro()
}

func (r *taskRow) admission() action.Admission {
	a, _ := action.Lookup(r.Action)
	return a.Admission
}

func (r *taskRow) setError(e *store.TaskError) {
	if e == nil {
		r.ErrorCode, r.ErrorStep, r.ErrorMessage = "", "", ""
		return
	}
	r.ErrorCode, r.ErrorStep, r.ErrorMessage = e.Code, e.Step, e.Message
}

func (r *taskRow) steps() ([]store.Step, error) {
	if r.Steps == r.stepsOf {
		return slices.Clone(r.decoded), nil
	}
	var written []stepJSON
	if err := r.read("steps", r.Steps, &written); err != nil || written == nil {
		return nil, err
	}
	steps := make([]store.Step, 0, len(written))
	for _, s := range written {
		steps = append(steps, store.Step{
			Name: s.Name, Status: journalv1.StepStatus(s.Status), Attempt: s.Attempt, Message: s.Message,
			Cancellable: s.Cancellable, Started: instantOrNil(s.Started), Finished: instantOrNil(s.Finished),
		})
	}
	r.decoded, r.stepsOf = steps, r.Steps
	return slices.Clone(steps), nil
}

func (r *taskRow) setSteps(steps []store.Step) error {
	written := make([]stepJSON, 0, len(steps))
	for _, s := range steps {
		written = append(written, stepJSON{
			Name: s.Name, Status: int32(s.Status), Attempt: s.Attempt, Message: s.Message,
			Cancellable: s.Cancellable, Started: micros(s.Started), Finished: micros(s.Finished),
		})
	}
	return r.write("steps", written, &r.Steps)
}

func (r *taskRow) notes() (notes map[string]string, err error) {
	return notes, r.read("notes", r.Notes, &notes)
}

// note writes notes over those of the same keys.
func (r *taskRow) note(more map[string]string) error {
	if len(more) == 0 {
		return nil
	}
	notes, err := r.notes()
	if err != nil {
		return err
	}
	if notes == nil {
		notes = map[string]string{}
	}
	maps.Copy(notes, more)
	return r.write("notes", notes, &r.Notes)
}

// quota is what the task holds of its project's quota.
func (r *taskRow) quota() (held map[store.Resource]int, err error) {
	return held, r.read("quota", r.Quota, &held)
}

func (r *taskRow) setQuota(held map[store.Resource]int) error {
	held = maps.Clone(held)
	maps.DeleteFunc(held, func(_ store.Resource, n int) bool { return n == 0 })
	r.Quota = ""
	if len(held) == 0 {
		return nil
	}
	return r.write("quota", held, &r.Quota)
}

func (r *taskRow) read(what, text string, into any) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("read %s of task %s: %w", what, r.ID, err)
	}
	return nil
}

func (r *taskRow) write(what string, value any, into *string) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write %s of task %s: %w", what, r.ID, err)
	}
	*into = string(text)
	return nil
}

// shown is the task as its owner sees it: without command, notes and quota.
func (r *taskRow) shown() (store.Task, error) {
	t := store.Task{
		ID: r.ID, Action: r.Action, InstanceID: r.InstanceID, InstanceName: r.InstanceName, ProjectID: r.ProjectID,
		RequestID: r.RequestID, State: r.State, Progress: r.Progress,
		Epoch: r.Epoch, Claims: r.Claims, Worker: r.Worker, LeaseExpires: instantOrNil(r.LeaseExpires),
		Stop:    journalv1.StopMode(r.Stop),
		Created: instant(r.Created), Started: instantOrNil(r.Started), Finished: instantOrNil(r.Finished),
	}
	if r.ErrorCode != "" {
		t.Error = &store.TaskError{Code: r.ErrorCode, Step: r.ErrorStep, Message: r.ErrorMessage}
	}
	var err error
	t.Steps, err = r.steps()
	return t, err
}

func (r *taskRow) task() (store.Task, error) {
	t, err := r.shown()
	if err != nil {
		return t, err
	}
	t.Command = &commandv1.Command{}
	if err := proto.Unmarshal(r.Command, t.Command); err != nil {
		return t, fmt.Errorf("read command of task %s: %w", r.ID, err)
	}
	if t.Notes, err = r.notes(); err != nil {
		return t, err
	}
	t.Quota, err = r.quota()
	return t, err
}

func tasksOf(rows []taskRow) ([]store.Task, error) {
	list := make([]store.Task, 0, len(rows))
	for i := range rows {
		t, err := rows[i].task()
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}
