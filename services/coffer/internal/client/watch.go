package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/pause"
)

const (
	// reconnectDelay is the pause before the stream of events is opened again.
	reconnectDelay = time.Second
	// pollInterval is how often a task or an instance is looked at of which no events may tell.
	pollInterval = 2 * time.Second
)

// WatchTask calls show with the task as it is now and whenever it changes, until it has ended, and answers with its
// end. A stream that breaks is opened again.
func (c *Client) WatchTask(ctx context.Context, id string, show func(Task)) (Task, error) {
	for {
		task, err := c.followTask(ctx, id, show)
		var refused *Error
		switch {
		case err == nil && task.Ended():
			return task, nil
		case ctx.Err() != nil:
			return Task{}, fmt.Errorf("watch task %s: %w", id, ctx.Err())
		case errors.As(err, &refused) && refused.Code < 500:
			return Task{}, err
		}
		if !pause.For(ctx, reconnectDelay) {
			return Task{}, fmt.Errorf("watch task %s: %w", id, ctx.Err())
		}
	}
}

// followTask follows one stream to its end. The task is asked for after the stream is open, so that no change falls
// in between, and now and then besides: of another project's task, which an admin may see, no event tells.
func (c *Client) followTask(ctx context.Context, id string, show func(Task)) (Task, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, err := c.openEvents(ctx)
	if err != nil {
		return Task{}, err
	}
	told := events.follow(ctx)
	defer told.end()
	task, err := c.Task(ctx, id)
	if err != nil {
		return Task{}, err
	}
	show(task)
	now := time.NewTicker(pollInterval)
	defer now.Stop()
	for !task.Ended() {
		var seen Task
		select {
		case err := <-told.broken:
			return task, err
		case e := <-told.events:
			if seen, err = e.task(); err != nil {
				return task, err
			}
		case <-now.C:
			if seen, err = c.Task(ctx, id); err != nil {
				return task, err
			}
		}
		if seen.ID == id && !seen.behind(task) {
			task = seen
			show(task)
		}
	}
	return task, nil
}

// AwaitInstance waits, where the service has no tasks, until the instance is no longer in one of the passing states;
// gone says that it was deleted.
func (c *Client) AwaitInstance(ctx context.Context, id string, passing ...string) (instance Instance, gone bool, err error) {
	for {
		instance, err := c.Instance(ctx, id)
		if IsNotFound(err) {
			return Instance{}, true, nil
		}
		if err != nil {
			return Instance{}, false, err
		}
		if !slices.Contains(passing, instance.Status) {
			return instance, false, nil
		}
		if !pause.For(ctx, pollInterval) {
			return Instance{}, false, fmt.Errorf("wait for instance %s: %w", id, ctx.Err())
		}
	}
}
