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

// changeRole is change for work that brings the server to a role, which others may have changed since it was asked the
// first time: a repetition is never answered from memory. last makes the message that ends the stream.
func changeRole[Response any](
	s *Server, stream grpc.ServerStreamingServer[Response], wrap func(*guestagentv1.Progress) *Response,
	asked *guestagentv1.Operation, kind string, limit time.Duration, work func(ctx context.Context, tell func(string)) error,
	last func(ctx context.Context, done *guestagentv1.Progress) (*Response, error),
) error {
	tell := func(message string) error {
		return stream.Send(wrap(&guestagentv1.Progress{Message: message}))
	}
	op := operation.Operation{ID: asked.GetId(), Epoch: asked.GetEpoch(), Kind: kind, Limit: limit, Anew: true}
	if err := s.Journal.Do(stream.Context(), op, tell, unmarked(work)); err != nil {
		return err
	}
	response, err := last(stream.Context(), &guestagentv1.Progress{Done: true})
	if err != nil {
		return err
	}
	return stream.Send(response)
}

// plain ends a stream with nothing but that it is done.
func plain[Response any](
	wrap func(*guestagentv1.Progress) *Response,
) func(context.Context, *guestagentv1.Progress) (*Response, error) {
	return func(_ context.Context, done *guestagentv1.Progress) (*Response, error) { return wrap(done), nil }
}

// unmarked is work that needs no mark: done again, it finds itself done.
func unmarked(work func(ctx context.Context, tell func(string)) error) operation.Work {
	return func(ctx context.Context, _ string, tell func(string)) error { return work(ctx, tell) }
}
