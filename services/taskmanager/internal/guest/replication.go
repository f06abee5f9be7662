package guest

import (
	"context"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// Replication is the server's role, and how far it is.
func (g *Guest) Replication(ctx context.Context) (*guestagentv1.Replication, error) {
	response, err := g.client.GetReplication(ctx, &guestagentv1.GetReplicationRequest{})
	if err != nil {
		return nil, err
	}
	return response.GetReplication(), nil
}

// AdmitReplica lets a replica in.
func (g *Guest) AdmitReplica(
	ctx context.Context, request *guestagentv1.AdmitReplicaRequest,
) (*guestagentv1.Source, error) {
	response, err := g.client.AdmitReplica(ctx, request)
	if err != nil {
		return nil, err
	}
	return response.GetSource(), nil
}

// DismissReplica takes back what AdmitReplica gave.
func (g *Guest) DismissReplica(ctx context.Context, replicaInstanceID string) error {
	_, err := g.client.DismissReplica(ctx, &guestagentv1.DismissReplicaRequest{ReplicaInstanceId: replicaInstanceID})
	return err
}

// PrepareReplica makes the server a replica by a copy of the source.
func (g *Guest) PrepareReplica(ctx context.Context, request *guestagentv1.PrepareReplicaRequest, say func(string)) error {
	stream, err := g.client.PrepareReplica(ctx, request)
	if err != nil {
		return err
	}
	return follow(stream, say)
}

// FollowSource follows a source with the data that are there.
func (g *Guest) FollowSource(ctx context.Context, request *guestagentv1.FollowSourceRequest, say func(string)) error {
	stream, err := g.client.FollowSource(ctx, request)
	if err != nil {
		return err
	}
	return follow(stream, say)
}

// Freeze ends all writing and gives the position behind which nothing was acknowledged.
func (g *Guest) Freeze(ctx context.Context, operation *guestagentv1.Operation, say func(string)) (string, error) {
	stream, err := g.client.Freeze(ctx, &guestagentv1.FreezeRequest{Operation: operation})
	if err != nil {
		return "", err
	}
	last, err := outcome(stream, say)
	return last.GetPosition(), err
}

// Unfreeze lets a frozen source write again.
func (g *Guest) Unfreeze(ctx context.Context, operation *guestagentv1.Operation, say func(string)) error {
	stream, err := g.client.Unfreeze(ctx, &guestagentv1.UnfreezeRequest{Operation: operation})
	if err != nil {
		return err
	}
	return follow(stream, say)
}

// AwaitPosition waits until everything up to a position has been applied.
func (g *Guest) AwaitPosition(ctx context.Context, position string) (*guestagentv1.Replication, error) {
	response, err := g.client.AwaitPosition(ctx, &guestagentv1.AwaitPositionRequest{Position: position})
	if err != nil {
		return nil, err
	}
	return response.GetReplication(), nil
}

// Promote makes the server a source that writes, and gives the position at which its own history begins.
func (g *Guest) Promote(ctx context.Context, operation *guestagentv1.Operation, say func(string)) (string, error) {
	stream, err := g.client.Promote(ctx, &guestagentv1.PromoteRequest{Operation: operation})
	if err != nil {
		return "", err
	}
	last, err := outcome(stream, say)
	return last.GetPosition(), err
}
