package server

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/status"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
)

// GetStatus asks the database a query and tells its state.
func (s *Server) GetStatus(ctx context.Context, _ *guestagentv1.GetStatusRequest) (*guestagentv1.GetStatusResponse, error) {
	s.Hub.Repeat()
	latest := s.Hub.Latest()
	if latest.Service == status.ServiceHealthy {
		if err := s.Instance.Ask(ctx); err != nil {
			latest.Service, latest.Message = status.ServiceRunning, "The database runs and does not answer."
		}
	}
	return &guestagentv1.GetStatusResponse{Status: s.statusOf(latest)}, nil
}

func (s *Server) statusOf(r report.Report) *guestagentv1.DatabaseStatus {
	return &guestagentv1.DatabaseStatus{
		AgentLife: s.Hub.Life, AgentLifeBegan: s.Hub.Began.UnixNano(), Sequence: r.Sequence,
		ServiceStatus: string(r.Service), Message: r.Message, Pid: int64(r.PID), Starts: r.Starts, Version: r.Version,
		Volume: &guestagentv1.VolumeUse{UsedBytes: r.Volume.Used, TotalBytes: r.Volume.Total},
	}
}
