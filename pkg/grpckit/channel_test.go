package grpckit_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/grpckit"
	eventv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/event/v1"
	taskv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/task/v1"
)

type contextKey struct{}

// tasks answers with what it saw of the call.
type tasks struct {
	taskv1.UnimplementedTaskServiceServer
	get func(context.Context, *taskv1.GetTaskRequest) (*taskv1.GetTaskResponse, error)
}

func (s tasks) GetTask(ctx context.Context, request *taskv1.GetTaskRequest) (*taskv1.GetTaskResponse, error) {
	return s.get(ctx, request)
}

func call(
	t *testing.T, ctx context.Context, get func(context.Context, *taskv1.GetTaskRequest) (*taskv1.GetTaskResponse, error),
	interceptors ...grpc.UnaryServerInterceptor,
) (*taskv1.GetTaskResponse, error) {
	t.Helper()
	channel := grpckit.NewChannel(interceptors, nil)
	taskv1.RegisterTaskServiceServer(channel, tasks{get: get})
	return taskv1.NewTaskServiceClient(channel).GetTask(ctx, &taskv1.GetTaskRequest{TaskId: "t1"})
}

func TestInterceptorsRunInTheirOrder(t *testing.T) {
	var order []string
	note := func(name string) grpc.UnaryServerInterceptor {
		return func(ctx context.Context, r any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			order = append(order, name+" "+info.FullMethod)
			return next(ctx, r)
		}
	}
	_, err := call(t, t.Context(), func(context.Context, *taskv1.GetTaskRequest) (*taskv1.GetTaskResponse, error) {
		return &taskv1.GetTaskResponse{}, nil
	}, note("first"), note("second"))
	require.NoError(t, err)
	assert.Equal(t, []string{
		"first /coffer.task.v1.TaskService/GetTask", "second /coffer.task.v1.TaskService/GetTask",
	}, order)
}

func TestMetadataAndDeadlineCrossTheChannelAndValuesDoNot(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), contextKey{}, "mine"), time.Minute)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "x-auth-token", "secret")
	_, err := call(t, ctx, func(ctx context.Context, _ *taskv1.GetTaskRequest) (*taskv1.GetTaskResponse, error) {
		assert.Nil(t, ctx.Value(contextKey{}))
		assert.Equal(t, []string{"secret"}, metadata.ValueFromIncomingContext(ctx, "x-auth-token"))
		_, outgoing := metadata.FromOutgoingContext(ctx)
		assert.False(t, outgoing)
		_, limited := ctx.Deadline()
		assert.True(t, limited)
		return &taskv1.GetTaskResponse{}, nil
	})
	require.NoError(t, err)
}

func TestErrorsKeepTheirKindAndReason(t *testing.T) {
	_, err := call(t, t.Context(), func(context.Context, *taskv1.GetTaskRequest) (*taskv1.GetTaskResponse, error) {
		return nil, errs.New(errs.WrongState, "NOT_READY", "Not ready.")
	})
	assert.True(t, errs.IsKind(err, errs.WrongState))
	assert.True(t, errs.IsReason(err, "NOT_READY"))
	assert.Equal(t, codes.FailedPrecondition, status.Code(err))
}

func TestAHandlerGetsACopyOfTheRequest(t *testing.T) {
	request := &taskv1.GetTaskRequest{TaskId: "t1"}
	var seen *taskv1.GetTaskRequest
	channel := grpckit.NewChannel(nil, nil)
	taskv1.RegisterTaskServiceServer(channel, tasks{get: func(_ context.Context, r *taskv1.GetTaskRequest) (*taskv1.GetTaskResponse, error) {
		seen = r
		return &taskv1.GetTaskResponse{Task: &taskv1.Task{Id: r.GetTaskId()}}, nil
	}})
	response, err := taskv1.NewTaskServiceClient(channel).GetTask(t.Context(), request)
	require.NoError(t, err)
	assert.Equal(t, "t1", response.GetTask().GetId())
	assert.NotSame(t, request, seen)
}

func TestHeaderAndTrailerReachTheCaller(t *testing.T) {
	channel := grpckit.NewChannel(nil, nil)
	taskv1.RegisterTaskServiceServer(channel, tasks{get: func(ctx context.Context, _ *taskv1.GetTaskRequest) (*taskv1.GetTaskResponse, error) {
		require.NoError(t, grpc.SetHeader(ctx, metadata.Pairs("retry-after", "1")))
		require.NoError(t, grpc.SetTrailer(ctx, metadata.Pairs("last", "word")))
		return nil, errs.New(errs.Unavailable, "BUSY", "Later.")
	}})
	var header, trailer metadata.MD
	_, err := taskv1.NewTaskServiceClient(channel).GetTask(t.Context(), &taskv1.GetTaskRequest{}, grpc.Header(&header), grpc.Trailer(&trailer))
	assert.True(t, errs.IsReason(err, "BUSY"))
	assert.Equal(t, []string{"1"}, header.Get("retry-after"))
	assert.Equal(t, []string{"word"}, trailer.Get("last"))
}

func TestAnUnknownMethodIsUnimplemented(t *testing.T) {
	_, err := taskv1.NewTaskServiceClient(grpckit.NewChannel(nil, nil)).GetTask(t.Context(), &taskv1.GetTaskRequest{})
	assert.True(t, errs.IsKind(err, errs.Unsupported))
}

type events struct {
	eventv1.UnimplementedEventServiceServer
	ended chan error
}

func (s events) WatchEvents(_ *eventv1.WatchEventsRequest, stream grpc.ServerStreamingServer[eventv1.WatchEventsResponse]) error {
	defer func() { s.ended <- stream.Context().Err() }()
	for sequence := range uint64(3) {
		if err := stream.Send(&eventv1.WatchEventsResponse{Sequence: sequence}); err != nil {
			return err
		}
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}

func TestAStreamEndsWithItsCallersContext(t *testing.T) {
	ended, seen := make(chan error, 1), ""
	channel := grpckit.NewChannel(nil, []grpc.StreamServerInterceptor{
		func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
			seen = info.FullMethod
			return next(server, stream)
		},
	})
	eventv1.RegisterEventServiceServer(channel, events{ended: ended})

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := eventv1.NewEventServiceClient(channel).WatchEvents(ctx, &eventv1.WatchEventsRequest{})
	require.NoError(t, err)
	for sequence := range uint64(3) {
		response, err := stream.Recv()
		require.NoError(t, err)
		assert.Equal(t, sequence, response.GetSequence())
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	_, err = stream.Recv()
	require.Error(t, err)
	require.NotErrorIs(t, err, io.EOF)
	assert.Equal(t, "/coffer.event.v1.EventService/WatchEvents", seen)
}
