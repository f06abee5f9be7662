package fake

import (
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// Enroll makes a key and takes the certificate for it.
func (a *Agent) Enroll(stream grpc.BidiStreamingServer[guestagentv1.EnrollRequest, guestagentv1.EnrollResponse]) error {
	ordered, is := a.take("Enroll")
	if is && !ordered.after {
		return ordered.err
	}
	if a.enrolled() {
		return errEnrolled
	}
	key, err := pki.NewKey()
	if err != nil {
		return err
	}
	keyPEM, err := pki.KeyPEM(key)
	if err != nil {
		return err
	}
	err = exchange(a, stream, keyPEM, func(request []byte) *guestagentv1.EnrollResponse {
		return &guestagentv1.EnrollResponse{CertificateRequest: request}
	})
	if err != nil {
		return err
	}
	a.did("Enroll")
	if is {
		return ordered.err
	}
	return stream.Send(&guestagentv1.EnrollResponse{Enrolled: true})
}

// RenewCertificate takes a new certificate for the same key.
func (a *Agent) RenewCertificate(
	stream grpc.BidiStreamingServer[guestagentv1.RenewCertificateRequest, guestagentv1.RenewCertificateResponse],
) error {
	if !a.enrolled() {
		return errNotEnrolled
	}
	a.mu.Lock()
	keyPEM := a.keyPEM
	a.mu.Unlock()
	err := exchange(a, stream, keyPEM, func(request []byte) *guestagentv1.RenewCertificateResponse {
		return &guestagentv1.RenewCertificateResponse{CertificateRequest: request}
	})
	if err != nil {
		return err
	}
	a.did("RenewCertificate")
	return stream.Send(&guestagentv1.RenewCertificateResponse{Renewed: true})
}

// exchange hands out a request for a key and takes the certificate that comes for it.
func exchange[Question, Answer any, Q interface {
	*Question
	GetCertificatePem() []byte
}](a *Agent, stream grpc.BidiStreamingServer[Question, Answer], keyPEM []byte, ask func(request []byte) *Answer) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	key, err := pki.ParseKey(keyPEM)
	if err != nil {
		return err
	}
	request, err := pki.Request(key)
	if err != nil {
		return err
	}
	if err := stream.Send(ask(request)); err != nil {
		return err
	}
	signed, err := stream.Recv()
	if err != nil {
		return err
	}
	return a.replace(Q(signed).GetCertificatePem(), keyPEM)
}

func (a *Agent) replace(certificatePEM, keyPEM []byte) error {
	if err := a.identity.Replace(certificatePEM, keyPEM); err != nil {
		return errs.New(errs.Invalid, "BAD_CERTIFICATE", "The certificate does not fit.").Because(err)
	}
	a.mu.Lock()
	a.keyPEM = keyPEM
	a.mu.Unlock()
	return a.onEnrolled(certificatePEM, keyPEM)
}

func (a *Agent) enrolled() bool { return a.identity.Name() == pki.InstanceName(a.instanceID) }
