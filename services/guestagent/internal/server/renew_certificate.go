package server

import (
	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// RenewCertificate exchanges a new certificate for the key that the guest has.
func (s *Server) RenewCertificate(
	stream grpc.BidiStreamingServer[guestagentv1.RenewCertificateRequest, guestagentv1.RenewCertificateResponse],
) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	request, err := s.Guest.Request()
	if err != nil {
		return err
	}
	if err := stream.Send(&guestagentv1.RenewCertificateResponse{CertificateRequest: request}); err != nil {
		return err
	}
	answer, err := stream.Recv()
	if err != nil {
		return err
	}
	if err := s.Guest.Accept(answer.GetCertificatePem()); err != nil {
		return err
	}
	s.Log.Info("the guest's certificate was renewed", "expires", s.Guest.TLS().Expires())
	return stream.Send(&guestagentv1.RenewCertificateResponse{Renewed: true})
}
