package grpckit

import (
	"context"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/grpc"
)

// Channel is a gRPC connection without a socket: what is registered on it is what its clients call. Interceptors,
// metadata, deadlines, cancellation and streams work as on a network; a handler gets a copy of the request, and gives
// its response away; and the values of the caller's context stay with the caller, so that nobody is authenticated by
// where they call from.
//
// A unary call runs in its caller's goroutine: that, and not copying the response, is a third of the time of a small
// call. Streams are inprocgrpc's.
type Channel struct {
	inproc  *inprocgrpc.Channel
	unary   grpc.UnaryServerInterceptor
	methods map[string]method
}

var (
	_ grpc.ClientConnInterface = (*Channel)(nil)
	_ grpc.ServiceRegistrar    = (*Channel)(nil)
)

// NewChannel makes a channel whose calls pass the interceptors in their order, the first one outermost.
func NewChannel(unary []grpc.UnaryServerInterceptor, stream []grpc.StreamServerInterceptor) *Channel {
	c := &Channel{inproc: &inprocgrpc.Channel{}, methods: map[string]method{}}
	if len(unary) > 0 {
		c.unary = chainUnary(unary)
	}
	if len(stream) > 0 {
		c.inproc.WithServerStreamInterceptor(chainStream(stream))
	}
	return c
}

// RegisterService registers a service, before the first call.
func (c *Channel) RegisterService(desc *grpc.ServiceDesc, implementation any) {
	c.inproc.RegisterService(desc, implementation)
	for _, m := range desc.Methods {
		c.methods["/"+desc.ServiceName+"/"+m.MethodName] = method{handler: m.Handler, service: implementation}
	}
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
