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
	err := exchange(s, stream, func(request []byte) *guestagentv1.EnrollResponse {
		return &guestagentv1.EnrollResponse{CertificateRequest: request}
	})
	if err != nil {
		return err
	}
	return stream.Send(&guestagentv1.EnrollResponse{Enrolled: true})
}
