package server

import (
	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// RenewCertificate exchanges a new certificate for the key that the guest has.
func (s *Server) RenewCertificate(
	stream grpc.BidiStreamingServer[guestagentv1.RenewCertificateRequest, guestagentv1.RenewCertificateResponse],
) error {
	err := exchange(s, stream, func(request []byte) *guestagentv1.RenewCertificateResponse {
		return &guestagentv1.RenewCertificateResponse{CertificateRequest: request}
	})
	if err != nil {
		return err
	}
	return stream.Send(&guestagentv1.RenewCertificateResponse{Renewed: true})
}
