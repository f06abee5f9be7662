package journal

import (
	"context"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// RenewLease prolongs a run's lease and says whether it shall stop.
func (s *Server) RenewLease(
	ctx context.Context, request *journalv1.RenewLeaseRequest,
) (*journalv1.RenewLeaseResponse, error) {
	task, err := s.Store.RenewLease(ctx, run(request.GetRun()), s.Lease)
	if err != nil {
		return nil, err
	}
	return &journalv1.RenewLeaseResponse{Stop: task.Stop}, nil
}
