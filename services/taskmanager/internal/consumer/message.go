package consumer

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/bus"
	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
)

const (
	// holdInterval is how often a message is kept from being delivered to another; a third of its time.
	holdInterval = bus.AckWait / 3
	// busyDelay is how long a message waits whose instance is busy. The api rings when it is free, so this is for a
	// ring that was lost.
	busyDelay = 3 * time.Second
	// awayDelay is how long a message waits when the api does not answer.
	awayDelay    = time.Second
	claimTimeout = 10 * time.Second
)

// handle works one message to what it can be worked to now.
func (c *Consumer) handle(ctx context.Context, message jetstream.Msg) {
	command := &commandv1.Command{}
	if err := proto.Unmarshal(message.Data(), command); err != nil || command.GetTaskId() == "" {
		c.logger.Error("a message on the command queue is no command", "subject", message.Subject(), "error", err)
		c.answered(message.TermWithReason("not a command"), command)
		return
	}
	if ctx.Err() != nil {
		c.answered(message.Nak(), command)
		return
	}
	if !c.take(command.GetTaskId()) {
		// The task runs here, under the message that began it; a second claim would take it from ourselves.
		c.answered(message.Ack(), command)
		return
	}
	defer c.release(command.GetTaskId())
	stop := hold(ctx, message)
	defer stop()
	claimed := time.Now()
	claim, err := c.claim(ctx, command)
	if err != nil {
		c.logger.Warn("task not claimed", "task_id", command.GetTaskId(), "error", err)
		c.answered(message.NakWithDelay(awayDelay), command)
		return
	}
	switch claim.GetOutcome() {
	case journalv1.ClaimOutcome_CLAIM_OUTCOME_CLAIMED:
		err := c.runner.Run(ctx, claim, claimed)
		stop()
		c.answered(c.settle(message, command, err), command)
	case journalv1.ClaimOutcome_CLAIM_OUTCOME_BUSY:
		c.answered(message.NakWithDelay(busyDelay), command)
	case journalv1.ClaimOutcome_CLAIM_OUTCOME_GONE:
		c.answered(message.Ack(), command)
	case journalv1.ClaimOutcome_CLAIM_OUTCOME_UNSPECIFIED:
		c.logger.Error("the api answered a claim without an outcome", "task_id", command.GetTaskId())
		c.answered(message.NakWithDelay(awayDelay), command)
	}
}

func (c *Consumer) claim(ctx context.Context, command *commandv1.Command) (*journalv1.ClaimTaskResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	return c.claims.ClaimTask(ctx, &journalv1.ClaimTaskRequest{
		TaskId: command.GetTaskId(), Worker: c.config.Worker, Plan: c.runner.Plan(command),
	})
}

// settle gives the message back unless the task needs it no more.
func (c *Consumer) settle(message jetstream.Msg, command *commandv1.Command, err error) error {
	switch {
	case err == nil, errors.Is(err, flow.ErrSuperseded):
		return message.Ack()
	case errors.Is(err, flow.ErrInterrupted):
		c.logger.Info("task left for the next start", "task_id", command.GetTaskId(), "action", action.Of(command))
		return message.Nak()
	default:
		return message.NakWithDelay(awayDelay)
	}
}

// answered logs an answer that NATS did not get. It costs a redelivery, which the next claim finds out about.
func (c *Consumer) answered(err error, command *commandv1.Command) {
	if err != nil {
		c.logger.Warn("message not answered", "task_id", command.GetTaskId(), "error", err)
	}
}

// hold keeps the message in progress until stop is called, which waits for the goroutine and may be called twice. A
// shutdown does not end it: the run still has to come to its border.
func hold(ctx context.Context, message jetstream.Msg) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(holdInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				// A missed sign of life is made good by the next one, or by a redelivery that finds the task busy.
				_ = message.InProgress()
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func (c *Consumer) take(taskID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[taskID] {
		return false
	}
	c.held[taskID] = true
	return true
}

func (c *Consumer) release(taskID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, taskID)
}
