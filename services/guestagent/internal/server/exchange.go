package server

import "google.golang.org/grpc"

// exchange hands out a request for the guest's key, making the key where there is none, and takes the certificate that
// comes for it.
func exchange[Question, Answer any, Q interface {
	*Question
	GetCertificatePem() []byte
}](s *Server, stream grpc.BidiStreamingServer[Question, Answer], ask func(request []byte) *Answer) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	request, err := s.Guest.Request()
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
	if err := s.Guest.Accept(Q(signed).GetCertificatePem()); err != nil {
		return err
	}
	s.Log.Info("the guest has a new certificate", "expires", s.Guest.TLS().Expires())
	return nil
}
