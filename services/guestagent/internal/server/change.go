package server

import (
	"context"
	"time"

	"google.golang.org/grpc"

	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/operation"
)

// change runs a changing call as an operation and streams its progress.
func change[Response any](
	s *Server, stream grpc.ServerStreamingServer[Response], wrap func(*guestagentv1.Progress) *Response,
	asked *guestagentv1.Operation, kind, mark string, limit time.Duration, work operation.Work,
) error {
	tell := func(message string) error {
		return stream.Send(wrap(&guestagentv1.Progress{Message: message}))
	}
	op := operation.Operation{ID: asked.GetId(), Epoch: asked.GetEpoch(), Kind: kind, Mark: mark, Limit: limit}
	if err := s.Journal.Do(stream.Context(), op, tell, work); err != nil {
		return err
	}
	return stream.Send(wrap(&guestagentv1.Progress{Done: true}))
}

// unmarked is work that needs no mark: done again, it finds itself done.
func unmarked(work func(ctx context.Context, tell func(string)) error) operation.Work {
	return func(ctx context.Context, _ string, tell func(string)) error { return work(ctx, tell) }
}
