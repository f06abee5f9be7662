package server

import (
	"context"
	"errors"

	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

// answerUnary and answerStream hold for every call: not before enrolment, and errors as kind, reason and sentence.
func (s *Server) answerUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if err := s.admit(info.FullMethod); err != nil {
		return nil, s.shown(info.FullMethod, err)
	}
	response, err := handle(ctx, request)
	return response, s.shown(info.FullMethod, err)
}

func (s *Server) answerStream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if err := s.admit(info.FullMethod); err != nil {
		return s.shown(info.FullMethod, err)
	}
	return s.shown(info.FullMethod, handle(server, stream))
}

func (s *Server) admit(method string) error {
	if method != guestagentv1.GuestAgentService_Enroll_FullMethodName && !s.Guest.Enrolled() {
		return errs.New(errs.WrongState, "NOT_ENROLLED", "The guest agent has no certificate of its own yet.")
	}
	return nil
}

func (s *Server) shown(method string, err error) error {
	if err == nil {
		return nil
	}
	e := errs.From(err)
	if e.Kind == errs.Internal {
		s.Log.Error("call failed", "method", method, "error", err, "cause", errors.Unwrap(e))
	}
	return e.GRPCStatus().Err()
}
