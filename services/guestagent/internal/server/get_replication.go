package server

import (
	"context"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/role"
)

var roles = map[role.Role]guestagentv1.ReplicationRole{
	role.Unset:   guestagentv1.ReplicationRole_REPLICATION_ROLE_SOURCE,
	role.Source:  guestagentv1.ReplicationRole_REPLICATION_ROLE_SOURCE,
	role.Replica: guestagentv1.ReplicationRole_REPLICATION_ROLE_REPLICA,
	role.Frozen:  guestagentv1.ReplicationRole_REPLICATION_ROLE_FROZEN,
}

// GetReplication tells the server's role, and how far its database is.
func (s *Server) GetReplication(
	ctx context.Context, _ *guestagentv1.GetReplicationRequest,
) (*guestagentv1.GetReplicationResponse, error) {
	now, err := s.replication(ctx)
	if err != nil {
		return nil, err
	}
	return &guestagentv1.GetReplicationResponse{Replication: now}, nil
}

func (s *Server) replication(ctx context.Context) (*guestagentv1.Replication, error) {
	state, now, err := s.Instance.Replication(ctx)
	if err != nil {
		return nil, err
	}
	return &guestagentv1.Replication{
		Role: roles[state.Role], SourceInstanceId: state.SourceInstanceID, Position: now.Position, Progress: now.Progress,
		Streaming: now.Streaming, LagMilliseconds: now.LagMilliseconds, Message: now.Message, Writable: now.Writable,
		ReceivedPosition: now.Received,
	}, nil
}

func sourceOf(s *guestagentv1.Source) engine.Source {
	return engine.Source{
		Member:  engine.Member{InstanceID: s.GetInstanceId(), Address: s.GetAddress()},
		Account: engine.Account{User: s.GetUser(), Password: s.GetPassword(), Port: int(s.GetPort())},
	}
}
