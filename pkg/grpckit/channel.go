package grpckit

import (
	"context"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
)

// Channel is a gRPC connection without a socket: what is registered on it is what its clients call. Interceptors,
// metadata, deadlines, cancellation and streams work as on a network; messages are copied, never shared; and the
// values of the caller's context stay with the caller, so that nobody is authenticated by where they call from.
type Channel struct {
	inproc *inprocgrpc.Channel
}

var (
	_ grpc.ClientConnInterface = (*Channel)(nil)
	_ grpc.ServiceRegistrar    = (*Channel)(nil)
)

// NewChannel makes a channel whose calls pass the interceptors in their order, the first one outermost.
func NewChannel(unary []grpc.UnaryServerInterceptor, stream []grpc.StreamServerInterceptor) *Channel {
	inproc := &inprocgrpc.Channel{}
	if len(unary) > 0 {
		inproc.WithServerUnaryInterceptor(chainUnary(unary))
	}
	if len(stream) > 0 {
		inproc.WithServerStreamInterceptor(chainStream(stream))
	}
	return &Channel{inproc: inproc}
}

// WithStats lets a stats handler, such as a tracer's, see both ends of every call. It is set before the first call.
func (c *Channel) WithStats(client, server stats.Handler) *Channel {
	c.inproc.WithClientStatsHandler(client).WithServerStatsHandler(server)
	return c
}

// RegisterService registers a service, before the first call.
func (c *Channel) RegisterService(desc *grpc.ServiceDesc, implementation any) {
	c.inproc.RegisterService(desc, implementation)
}

// Invoke makes a unary call.
func (c *Channel) Invoke(ctx context.Context, method string, request, response any, opts ...grpc.CallOption) error {
	return c.inproc.Invoke(ctx, method, request, response, opts...)
}

// NewStream opens a stream.
func (c *Channel) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return c.inproc.NewStream(ctx, desc, method, opts...)
}

func chainUnary(interceptors []grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, last grpc.UnaryHandler) (any, error) {
		handler := last
		for i := len(interceptors) - 1; i >= 0; i-- {
			interceptor, next := interceptors[i], handler
			handler = func(ctx context.Context, request any) (any, error) {
				return interceptor(ctx, request, info, next)
			}
		}
		return handler(ctx, request)
	}
}

func chainStream(interceptors []grpc.StreamServerInterceptor) grpc.StreamServerInterceptor {
	return func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, last grpc.StreamHandler) error {
		handler := last
		for i := len(interceptors) - 1; i >= 0; i-- {
			interceptor, next := interceptors[i], handler
			handler = func(server any, stream grpc.ServerStream) error {
				return interceptor(server, stream, info, next)
			}
		}
		return handler(server, stream)
	}
}
