package server

import (
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// Enroll makes the guest's key, hands out a request and takes the certificate for it. WrongState: the guest has one.
func (s *Server) Enroll(stream grpc.BidiStreamingServer[guestagentv1.EnrollRequest, guestagentv1.EnrollResponse]) error {
	if s.Guest.Enrolled() {
		return errs.New(errs.WrongState, "ALREADY_ENROLLED", "The guest agent has a certificate of its own.")
	}
	if _, err := stream.Recv(); err != nil {
		return err
	}
	request, err := s.Guest.Request()
	if err != nil {
		return err
	}
	if err := stream.Send(&guestagentv1.EnrollResponse{CertificateRequest: request}); err != nil {
		return err
	}
	answer, err := stream.Recv()
	if err != nil {
		return err
	}
	if err := s.Guest.Accept(answer.GetCertificatePem()); err != nil {
		return err
	}
	s.Log.Info("the guest has a certificate of its own", "expires", s.Guest.TLS().Expires())
	return stream.Send(&guestagentv1.EnrollResponse{Enrolled: true})
}
