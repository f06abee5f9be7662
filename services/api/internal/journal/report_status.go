package journal

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
)

// ReportGuestStatus keeps what a guest said, or that it says nothing.
func (s *Server) ReportGuestStatus(
	ctx context.Context, request *journalv1.ReportGuestStatusRequest,
) (*journalv1.ReportGuestStatusResponse, error) {
	said := request.GetStatus()
	if said != nil && !status.Service(said.GetServiceStatus()).Known() {
		return nil, errs.New(errs.Invalid, "SERVICE_STATUS", "'%s' is no service status.", said.GetServiceStatus())
	}
	err := s.Store.ReportGuest(ctx, store.GuestReport{
		Worker: request.GetWorker(), InstanceID: request.GetInstanceId(), Status: said,
	})
	if err != nil {
		return nil, err
	}
	return &journalv1.ReportGuestStatusResponse{}, nil
}

// ReportServerStatus keeps what compute says of a server.
func (s *Server) ReportServerStatus(
	ctx context.Context, request *journalv1.ReportServerStatusRequest,
) (*journalv1.ReportServerStatusResponse, error) {
	err := s.Store.ReportServer(ctx, request.GetInstanceId(), status.Server(request.GetServerStatus()))
	if err != nil {
		return nil, err
	}
	return &journalv1.ReportServerStatusResponse{}, nil
}
