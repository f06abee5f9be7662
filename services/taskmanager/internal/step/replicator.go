package step

import (
	"context"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// Replicator is what workflows ask of an agent whose server is in a set. Freeze, Unfreeze, Promote and FollowSource bring
// the server to a role, whatever it was when the same operation was asked before: a repetition is never answered from
// memory. The calls without an operation bear repetition and need no epoch.
type Replicator interface {
	// Replication is the server's role, and how far it is. Unavailable: its database does not answer.
	Replication(ctx context.Context) (*guestagentv1.Replication, error)
	// AdmitReplica lets a replica in, with a new password each time; with a ticket also one copy.
	AdmitReplica(ctx context.Context, request *guestagentv1.AdmitReplicaRequest) (*guestagentv1.Source, error)
	// DismissReplica takes that back; nil when there is nothing.
	DismissReplica(ctx context.Context, replicaInstanceID string) error
	// PrepareReplica makes the server a replica by a copy of the source. Unavailable with reason COPY_CUT: the copy was cut,
	// and starts over with a new ticket. WrongState with reason DATA_EXISTS: there are data that the request does not give up.
	PrepareReplica(ctx context.Context, request *guestagentv1.PrepareReplicaRequest, say func(string)) error
	// FollowSource follows a source with the data that are there. WrongState with reason DIVERGED: only PrepareReplica helps.
	FollowSource(ctx context.Context, request *guestagentv1.FollowSourceRequest, say func(string)) error
	// Freeze ends all writing and gives the position behind which nothing was acknowledged.
	Freeze(ctx context.Context, operation *guestagentv1.Operation, say func(string)) (position string, err error)
	// Unfreeze lets a frozen source write again. WrongState: it is a replica.
	Unfreeze(ctx context.Context, operation *guestagentv1.Operation, say func(string)) error
	// AwaitPosition waits until everything up to a position has been applied, at most until the context's deadline.
	// WrongState with reason REPLICATION_BROKEN: it never will be.
	AwaitPosition(ctx context.Context, position string) (*guestagentv1.Replication, error)
	// Promote makes the server a source that writes, and gives the position at which its own history begins.
	Promote(ctx context.Context, operation *guestagentv1.Operation, say func(string)) (position string, err error)
}
