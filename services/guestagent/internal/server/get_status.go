package server

import (
	"context"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/report"
)

// GetStatus tells the database's latest state.
func (s *Server) GetStatus(context.Context, *guestagentv1.GetStatusRequest) (*guestagentv1.GetStatusResponse, error) {
	return &guestagentv1.GetStatusResponse{Status: s.statusOf(s.Hub.Latest())}, nil
}

func (s *Server) statusOf(r report.Report) *guestagentv1.DatabaseStatus {
	return &guestagentv1.DatabaseStatus{
		AgentLife: s.Hub.Life, AgentLifeBegan: s.Hub.Began.UnixNano(), Sequence: r.Sequence,
		ServiceStatus: string(r.Service), Message: r.Message, Pid: int64(r.PID), Starts: r.Starts, Version: r.Version,
		Volume: &guestagentv1.VolumeUse{UsedBytes: r.Volume.Used, TotalBytes: r.Volume.Total},
	}
}
