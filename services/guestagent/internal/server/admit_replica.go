package server

import (
	"context"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/engine"
)

// AdmitReplica makes a replica's account, and with a ticket announces a copy.
func (s *Server) AdmitReplica(
	ctx context.Context, request *guestagentv1.AdmitReplicaRequest,
) (*guestagentv1.AdmitReplicaResponse, error) {
	replica := engine.Member{InstanceID: request.GetReplicaInstanceId(), Address: request.GetReplicaAddress()}
	if replica.InstanceID == "" {
		return nil, errs.New(errs.Invalid, "REPLICA_MISSING", "The replica must be named.")
	}
	good := time.Duration(request.GetTicketMilliseconds()) * time.Millisecond
	a, err := s.Instance.Admit(ctx, replica, request.GetTicket(), good)
	if err != nil {
		return nil, err
	}
	source := &guestagentv1.Source{
		InstanceId: s.Instance.Server.InstanceID, Address: s.Instance.Server.Address, Port: int32(a.Account.Port), //nolint:gosec // a port
		User: a.Account.User, Password: a.Account.Password, CopyAddress: a.CopyAddress,
	}
	if a.CopyAddress != "" {
		source.Ticket = request.GetTicket()
	}
	return &guestagentv1.AdmitReplicaResponse{Source: source}, nil
}
