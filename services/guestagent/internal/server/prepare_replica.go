package server

import (
	"context"
	"time"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/instance"
)

// copyLimit leaves time for a large database.
const copyLimit = 24 * time.Hour

// PrepareReplica makes this server a replica by a copy of its source.
func (s *Server) PrepareReplica(
	request *guestagentv1.PrepareReplicaRequest, stream grpc.ServerStreamingServer[guestagentv1.PrepareReplicaResponse],
) error {
	plan := instance.ReplicaPlan{
		Plan: instance.Plan{
			Manager: request.GetManager(), Version: request.GetVersion(), MemoryMiB: int(request.GetRam()),
		},
		OperationID: request.GetOperation().GetId(), Source: sourceOf(request.GetSource()),
		CopyAddress: request.GetSource().GetCopyAddress(), Ticket: request.GetSource().GetTicket(), Replace: request.GetReplaceData(),
	}
	message := func(p *guestagentv1.Progress) *guestagentv1.PrepareReplicaResponse {
		return &guestagentv1.PrepareReplicaResponse{Progress: p}
	}
	return changeRole(s, stream, message, request.GetOperation(), "prepare_replica", copyLimit,
		func(ctx context.Context, tell func(string)) error { return s.Instance.PrepareReplica(ctx, plan, tell) },
		plain(message))
}
