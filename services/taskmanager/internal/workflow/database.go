package workflow

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// What several workflows do with an instance's database.

const (
	// healthyTimeout is how long a database may take from its start to the first query that succeeds. Crash recovery of a
	// large redo log is the long case.
	healthyTimeout = 5 * time.Minute
	// haltTimeout is how long a database may take to stop in order: it writes out what it has in memory.
	haltTimeout = 5 * time.Minute
	// checkTimeout is how long a guest may be silent before an action that has changed nothing yet is given up.
	checkTimeout = 30 * time.Second
)

func (p Parts) guest(r *flow.Run) (step.Guest, error) {
	return p.Guests.Guest(r.Instance.GetId(), r.Instance.GetGuestAddress())
}

// operation names one of several things that a step asks of a guest.
func operation(r *flow.Run, what string) *guestagentv1.Operation {
	return &guestagentv1.Operation{Id: r.OperationID() + "/" + what, Epoch: r.Epoch()}
}

// checkGuest lets an action fail before it has changed anything, while the guest cannot be reached or has no database.
func (p Parts) checkGuest(ctx context.Context, r *flow.Run) error {
	guest, err := p.guest(r)
	if err != nil {
		return err
	}
	seen, err := guest.Status(ctx)
	if err != nil {
		return fmt.Errorf("ask guest for its status: %w", err)
	}
	if seen.GetServiceStatus() == string(status.ServiceNew) {
		return errs.New(errs.WrongState, "NOT_PREPARED", "The guest has no database yet.")
	}
	return nil
}

func (p Parts) stopDatabase(ctx context.Context, r *flow.Run) error {
	guest, err := p.guest(r)
	if err != nil {
		return err
	}
	if err := guest.StopDatabase(ctx, step.Operation(r), r.Say); err != nil {
		return fmt.Errorf("stop database: %w", err)
	}
	return nil
}

// askToStop stops the database in order if that can be had within the patience.
func (p Parts) askToStop(ctx context.Context, r *flow.Run, patience time.Duration) error {
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := p.onServer(p.stopDatabase)(asking, r)
	if ctx.Err() != nil || flow.IsSuperseded(err) {
		return err
	}
	if err != nil {
		r.Say("Not stopped in order: " + errs.From(err).Sentence)
	}
	return nil
}

func (p Parts) startDatabase(ctx context.Context, r *flow.Run) error {
	guest, err := p.guest(r)
	if err != nil {
		return err
	}
	if err := guest.StartDatabase(ctx, step.Operation(r), r.Say); err != nil {
		return fmt.Errorf("start database: %w", err)
	}
	return nil
}

// awaitHealthy waits for the first real query that succeeds, on the guest's own stream.
func (p Parts) awaitHealthy(ctx context.Context, r *flow.Run) error {
	guest, err := p.guest(r)
	if err != nil {
		return err
	}
	seen, err := guest.AwaitStatus(ctx, func(s *guestagentv1.DatabaseStatus) bool {
		return s.GetServiceStatus() == string(status.ServiceHealthy)
	})
	if err != nil {
		return fmt.Errorf("await a healthy database: %w", err)
	}
	r.Change(&journalv1.InstancePatch{GuestStatus: step.Report(seen)})
	return nil
}

// reportGuest records what the guest says now.
func (p Parts) reportGuest(ctx context.Context, r *flow.Run) error {
	guest, err := p.guest(r)
	if err != nil {
		return err
	}
	seen, err := guest.Status(ctx)
	if err != nil {
		return fmt.Errorf("ask guest for its status: %w", err)
	}
	r.Change(&journalv1.InstancePatch{GuestStatus: step.Report(seen)})
	return nil
}

// bringBack starts the database again, in an undo.
func (p Parts) bringBack(ctx context.Context, r *flow.Run) error {
	if err := p.startDatabase(ctx, r); err != nil {
		return err
	}
	return p.awaitHealthy(ctx, r)
}

// undoHalt is the undo of a step that stops the database: its server may have to come up first.
func (p Parts) undoHalt() []flow.Option {
	return []flow.Option{flow.Undo(p.onServer(p.bringBack)), flow.UndoTimeout(p.BootLimit + healthyTimeout)}
}

// found records what a provider's call has left of the server.
func found(r *flow.Run, server step.Server) {
	r.Change(&journalv1.InstancePatch{
		ServerId: proto.String(server.ID), GuestAddress: proto.String(server.GuestAddress), ServerStatus: proto.String(server.Status),
	})
}
