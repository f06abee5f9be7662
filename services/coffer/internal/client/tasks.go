package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/gophercloud/gophercloud/v2"
)

// Task is an accepted change of an instance.
type Task struct {
	ID           string `json:"id"`
	Action       string `json:"action"`
	InstanceID   string `json:"instance_id"`
	InstanceName string `json:"instance_name"`
	// Status is QUEUED, RUNNING, SUCCEEDED, FAILED or TaskCancelled.
	Status string `json:"status"`
	// Progress is 0 to 100.
	Progress  int     `json:"progress"`
	Steps     []Step  `json:"steps"`
	Created   string  `json:"created"`
	Started   *string `json:"started,omitempty"`
	Finished  *string `json:"finished,omitempty"`
	RequestID string  `json:"request_id"`
	Error     *struct {
		Code    string `json:"code"`
		Step    string `json:"step"`
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// Step is one step of a task.
type Step struct {
	Name string `json:"name"`
	// Status is PENDING, RUNNING, SUCCEEDED, FAILED, UNDOING or UNDONE.
	Status   string  `json:"status"`
	Attempt  int     `json:"attempt"`
	Started  *string `json:"started,omitempty"`
	Finished *string `json:"finished,omitempty"`
	Message  string  `json:"message"`
}

// TaskCancelled is the status of a task that was stopped, and undone.
const TaskCancelled = "CANCELLED"

// Ended says whether nothing will change any more.
func (t Task) Ended() bool {
	return t.Status == "SUCCEEDED" || t.Status == "FAILED" || t.Status == TaskCancelled
}

// Err is nil for a task that succeeded, and says what happened to one that did not.
func (t Task) Err() error {
	switch {
	case t.Status == "SUCCEEDED":
		return nil
	case t.Error != nil && t.Error.Message != "":
		return fmt.Errorf("%s %s: %s", t.Action, t.Status, t.Error.Message)
	default:
		return fmt.Errorf("%s %s", t.Action, t.Status)
	}
}

// behind says whether this is the task as it was before other: events may come later than what they tell was read.
func (t Task) behind(other Task) bool {
	if taskOrder[t.Status] != taskOrder[other.Status] {
		return taskOrder[t.Status] < taskOrder[other.Status]
	}
	for i, step := range other.Steps {
		if i >= len(t.Steps) || t.Steps[i].behind(step) {
			return true
		}
	}
	return false
}

func (s Step) behind(other Step) bool {
	if s.Attempt != other.Attempt {
		return s.Attempt < other.Attempt
	}
	return stepOrder[s.Status] < stepOrder[other.Status]
}

// The statuses in the order in which they are taken, those that exclude each other side by side.
var (
	taskOrder = map[string]int{"QUEUED": 0, "RUNNING": 1, "SUCCEEDED": 2, "FAILED": 2, TaskCancelled: 2}
	stepOrder = map[string]int{"PENDING": 0, "RUNNING": 1, "SUCCEEDED": 2, "FAILED": 2, "UNDOING": 3, "UNDONE": 4}
)

// TaskFilter narrows a list; empty fields let everything through.
type TaskFilter struct{ InstanceID, Status, Action string }

func (f TaskFilter) query() url.Values {
	query := url.Values{}
	for key, value := range map[string]string{"instance_id": f.InstanceID, "status": f.Status, "action": f.Action} {
		if value != "" {
			query.Set(key, value)
		}
	}
	return query
}

// Tasks lists the project's tasks, newest first, all pages of them.
func (c *Client) Tasks(ctx context.Context, filter TaskFilter) ([]Task, error) {
	var all []Task
	address := c.database.ServiceURL("tasks")
	if query := filter.query(); len(query) > 0 {
		address += "?" + query.Encode()
	}
	for address != "" {
		var page struct {
			Tasks []Task `json:"tasks"`
			Links []link `json:"links"`
		}
		if err := c.getURL(ctx, address, &page); err != nil {
			return nil, fmt.Errorf("list tasks: %w", err)
		}
		all = append(all, page.Tasks...)
		address = next(page.Links)
	}
	return all, nil
}

// Task shows one.
func (c *Client) Task(ctx context.Context, id string) (Task, error) {
	var answer struct {
		Task Task `json:"task"`
	}
	if err := c.get(ctx, "tasks/"+url.PathEscape(id), nil, &answer); err != nil {
		return Task{}, fmt.Errorf("show task %s: %w", id, err)
	}
	return answer.Task, nil
}

// TasksBeside are the tasks that were accepted by the same call as a task: one for each replica that it asked for, or
// whose volume grows too.
func (c *Client) TasksBeside(ctx context.Context, task Task) ([]Task, error) {
	all, err := c.Tasks(ctx, TaskFilter{Action: task.Action})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(other Task) bool {
		return other.ID == task.ID || other.RequestID != task.RequestID
	}), nil
}

// CancelTask asks a task to stop at its next step border and to undo what it did.
func (c *Client) CancelTask(ctx context.Context, id string) error {
	address := c.database.ServiceURL("tasks", url.PathEscape(id))
	_, err := c.request(ctx, http.MethodDelete, address, &gophercloud.RequestOpts{OkCodes: []int{http.StatusAccepted}})
	if err != nil {
		return fmt.Errorf("cancel task %s: %w", id, err)
	}
	return nil
}
