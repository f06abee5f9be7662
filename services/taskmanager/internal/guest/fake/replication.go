package fake

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

const (
	source  = guestagentv1.ReplicationRole_REPLICATION_ROLE_SOURCE
	replica = guestagentv1.ReplicationRole_REPLICATION_ROLE_REPLICA
	frozen  = guestagentv1.ReplicationRole_REPLICATION_ROLE_FROZEN
)

var (
	errNotPrepared = errs.New(errs.WrongState, "NOT_PREPARED", "The database is not prepared.")
	errDataExists  = errs.New(errs.WrongState, "DATA_EXISTS", "The server has data, which the request does not give up.")
	errIsSource    = errs.New(errs.WrongState, "IS_SOURCE", "The server is a source; it must be frozen first.")
	errIsReplica   = errs.New(errs.WrongState, "IS_REPLICA", "The server is a replica.")
	errCopyCut     = errs.New(errs.Unavailable, "COPY_CUT", "The copy was cut.")
	errDiverged    = errs.New(errs.WrongState, "DIVERGED",
		"The data here are not part of the source's history; only a new copy of the source helps.")
	errUnreachable = errs.New(errs.Unavailable, "SOURCE_UNREACHABLE", "The source does not answer.")
)

// GetReplication is the role, and how far the rows go.
func (a *Agent) GetReplication(
	context.Context, *guestagentv1.GetReplicationRequest,
) (*guestagentv1.GetReplicationResponse, error) {
	if err := a.admit("GetReplication"); err != nil {
		return nil, err
	}
	r, _ := a.replication()
	return &guestagentv1.GetReplicationResponse{Replication: r}, nil
}

func (a *Agent) replication() (*guestagentv1.Replication, <-chan struct{}) {
	a.network.mu.Lock()
	defer a.network.mu.Unlock()
	d := a.database
	r := &guestagentv1.Replication{
		Role: d.role, SourceInstanceId: d.source, Position: d.position(), Progress: uint64(len(d.rows)), Writable: d.writable(),
		Message: d.broken, ReceivedPosition: d.position(),
	}
	if from := a.network.sourceOf(d); from != nil {
		r.Streaming = true
		r.LagMilliseconds = int64(len(from.rows) - len(d.rows))
	}
	return r, a.network.changed
}

// AdmitReplica makes a word for the replica, and keeps the ticket.
func (a *Agent) AdmitReplica(
	_ context.Context, request *guestagentv1.AdmitReplicaRequest,
) (*guestagentv1.AdmitReplicaResponse, error) {
	if err := a.admit("AdmitReplica"); err != nil {
		return nil, err
	}
	word := uuid.NewString()
	err := a.network.change(func() error {
		if !a.database.hasData {
			return errNotPrepared
		}
		a.database.accounts[request.GetReplicaInstanceId()] = word
		if request.GetTicket() != "" {
			a.database.tickets[request.GetReplicaInstanceId()] = ticket{
				word: request.GetTicket(), ends: time.Now().Add(time.Duration(request.GetTicketMilliseconds()) * time.Millisecond),
			}
		}
		return nil
	})
	a.did("AdmitReplica")
	return &guestagentv1.AdmitReplicaResponse{Source: &guestagentv1.Source{
		InstanceId: a.instanceID, Address: "127.0.0.1", Port: 3306, User: "coffer_repl_" + request.GetReplicaInstanceId(),
		Password: word, CopyAddress: "127.0.0.1:4444", Ticket: request.GetTicket(),
	}}, err
}

// DismissReplica forgets both.
func (a *Agent) DismissReplica(
	_ context.Context, request *guestagentv1.DismissReplicaRequest,
) (*guestagentv1.DismissReplicaResponse, error) {
	if err := a.admit("DismissReplica"); err != nil {
		return nil, err
	}
	a.did("DismissReplica")
	return &guestagentv1.DismissReplicaResponse{}, a.network.change(func() error {
		delete(a.database.accounts, request.GetReplicaInstanceId())
		delete(a.database.tickets, request.GetReplicaInstanceId())
		return nil
	})
}

// PrepareReplica copies the source's rows.
func (a *Agent) PrepareReplica(
	request *guestagentv1.PrepareReplicaRequest, stream grpc.ServerStreamingServer[guestagentv1.PrepareReplicaResponse],
) error {
	operation := request.GetOperation().GetId()
	a.forget(operation)
	return a.operate("PrepareReplica", request.GetOperation(), func() error {
		again := false
		err := a.network.change(func() error {
			if again = a.database.copiedBy == operation; again {
				return a.follow(request.GetSource())
			}
			if err := a.database.mayBeReplaced(request.GetReplaceData()); err != nil {
				return err
			}
			return a.copyFrom(request.GetSource(), operation)
		})
		if err == nil && !again {
			a.starts++
			a.become(status.ServiceHealthy, "")
		}
		return err
	}, func(p *guestagentv1.Progress) error {
		return stream.Send(&guestagentv1.PrepareReplicaResponse{Progress: p})
	})
}

func (d *database) mayBeReplaced(asked bool) error {
	switch {
	case d.hasData && !asked:
		return errDataExists
	case d.hasData && d.role == source:
		return errIsSource
	}
	return nil
}

func (a *Agent) copyFrom(asked *guestagentv1.Source, operation string) error {
	from, err := a.reach(asked)
	if err != nil {
		return err
	}
	given, there := from.tickets[a.instanceID]
	delete(from.tickets, a.instanceID)
	if !there || given.word != asked.GetTicket() || time.Now().After(given.ends) {
		return errCopyCut
	}
	d := a.database
	d.role, d.source, d.word, d.broken = replica, asked.GetInstanceId(), asked.GetPassword(), ""
	d.hasData, d.running, d.rows, d.copiedBy = true, true, slices.Clone(from.rows), operation
	return nil
}

// reach is the source's database, if it answers and accepts the word.
func (a *Agent) reach(asked *guestagentv1.Source) (*database, error) {
	from := a.network.databases[asked.GetInstanceId()]
	if from == nil || from.gone || !from.running || from.accounts[a.instanceID] != asked.GetPassword() {
		return nil, errUnreachable
	}
	return from, nil
}

// follow follows a source that has all the rows that are here.
func (a *Agent) follow(asked *guestagentv1.Source) error {
	from, err := a.reach(asked)
	if err != nil {
		return err
	}
	d := a.database
	if !from.has(d.rows) {
		return errDiverged
	}
	d.role, d.source, d.word, d.broken = replica, from.id, asked.GetPassword(), ""
	return nil
}

// FollowSource follows a source with the rows that are here.
func (a *Agent) FollowSource(
	request *guestagentv1.FollowSourceRequest, stream grpc.ServerStreamingServer[guestagentv1.FollowSourceResponse],
) error {
	return a.takeRole("FollowSource", request.GetOperation(), func(d *database) error {
		if d.role == source {
			return errIsSource
		}
		return a.follow(request.GetSource())
	}, func(p *guestagentv1.Progress) error {
		return stream.Send(&guestagentv1.FollowSourceResponse{Progress: p})
	})
}

// Freeze ends all writing.
func (a *Agent) Freeze(request *guestagentv1.FreezeRequest, stream grpc.ServerStreamingServer[guestagentv1.FreezeResponse]) error {
	var position string
	return a.takeRole("Freeze", request.GetOperation(), func(d *database) error {
		if d.role == replica {
			return errIsReplica
		}
		d.role, position = frozen, d.position()
		return nil
	}, func(p *guestagentv1.Progress) error {
		return stream.Send(&guestagentv1.FreezeResponse{Progress: p, Position: position})
	})
}

// Unfreeze lets a frozen source write again.
func (a *Agent) Unfreeze(
	request *guestagentv1.UnfreezeRequest, stream grpc.ServerStreamingServer[guestagentv1.UnfreezeResponse],
) error {
	return a.takeRole("Unfreeze", request.GetOperation(), func(d *database) error {
		if d.role == replica {
			return errIsReplica
		}
		d.role = source
		return nil
	}, func(p *guestagentv1.Progress) error {
		return stream.Send(&guestagentv1.UnfreezeResponse{Progress: p})
	})
}

// Promote makes the database a source.
func (a *Agent) Promote(request *guestagentv1.PromoteRequest, stream grpc.ServerStreamingServer[guestagentv1.PromoteResponse]) error {
	var position string
	return a.takeRole("Promote", request.GetOperation(), func(d *database) error {
		d.role, d.source, d.word, d.broken, position = source, "", "", "", d.position()
		return nil
	}, func(p *guestagentv1.Progress) error {
		return stream.Send(&guestagentv1.PromoteResponse{Progress: p, Position: position})
	})
}

// takeRole is an operation that is never answered from memory.
func (a *Agent) takeRole(
	method string, operation *guestagentv1.Operation, change func(*database) error, send func(*guestagentv1.Progress) error,
) error {
	a.forget(operation.GetId())
	return a.operate(method, operation, func() error {
		return a.network.change(func() error {
			if !a.database.hasData {
				return errNotPrepared
			}
			return change(a.database)
		})
	}, send)
}

func (a *Agent) forget(operationID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.operations, operationID)
}

// AwaitPosition waits for so many rows.
func (a *Agent) AwaitPosition(
	ctx context.Context, request *guestagentv1.AwaitPositionRequest,
) (*guestagentv1.AwaitPositionResponse, error) {
	if err := a.admit("AwaitPosition"); err != nil {
		return nil, err
	}
	wanted, err := strconv.ParseUint(request.GetPosition(), 10, 64)
	if err != nil {
		return nil, errs.New(errs.Invalid, "POSITION_UNREADABLE", "The position %q cannot be read.", request.GetPosition())
	}
	for {
		now, changed := a.replication()
		if now.GetProgress() >= wanted {
			return &guestagentv1.AwaitPositionResponse{Replication: now}, nil
		}
		if now.GetMessage() != "" {
			return nil, errs.New(errs.WrongState, "REPLICATION_BROKEN", "The replica does not get any further: %s.", now.GetMessage())
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// admit is what holds for the calls that are no operations.
func (a *Agent) admit(method string) error {
	if ordered, is := a.take(method); is {
		return ordered.err
	}
	if !a.enrolled() {
		return errNotEnrolled
	}
	return nil
}
