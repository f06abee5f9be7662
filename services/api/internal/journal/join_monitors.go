package journal

import (
	"context"
	"slices"
	"strings"

	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// JoinMonitors renews a worker among the living monitors. When that changes who they are, all are told.
func (s *Server) JoinMonitors(
	ctx context.Context, request *journalv1.JoinMonitorsRequest,
) (*journalv1.JoinMonitorsResponse, error) {
	if err := speaksFor(ctx, request.GetWorker()); err != nil {
		return nil, err
	}
	workers, err := s.Store.JoinMonitors(ctx, request.GetWorker(), s.MonitorLease, request.GetLeave())
	if err != nil {
		return nil, err
	}
	if s.Guests.changed(workers) {
		s.Guests.Ring()
	}
	return &journalv1.JoinMonitorsResponse{Workers: workers}, nil
}

// changed says whether the monitors are others than at the last call.
func (b *Bell) changed(workers []string) bool {
	names := strings.Join(slices.Sorted(slices.Values(workers)), "\n")
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.monitors == names {
		return false
	}
	b.monitors = names
	return true
}
