package grpckit

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// method is a registered unary method.
type method struct {
	handler grpc.MethodHandler
	service any
}

// Invoke makes a unary call.
func (c *Channel) Invoke(ctx context.Context, name string, request, response any, opts ...grpc.CallOption) error {
	called, known := c.methods[name]
	if !known {
		return status.Errorf(codes.Unimplemented, "unknown method %s", name)
	}
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	transport := &transport{method: name}
	err := c.serve(ctx, called, transport, request, response)
	transport.tell(opts)
	return err
}

// serve is the far side of a call.
func (c *Channel) serve(ctx context.Context, called method, transport *transport, request, response any) error {
	outgoing, _ := metadata.FromOutgoingContext(ctx)
	ctx = metadata.NewIncomingContext(withoutValues{ctx}, outgoing)
	ctx = grpc.NewContextWithServerTransportStream(ctx, transport)
	decode := func(into any) error { return copyMessage(into, request) }
	answer, err := called.handler(called.service, ctx, decode, c.unary) //nolint:contextcheck // It is the caller's, minus its values.
	if err == nil {
		err = handOver(response, answer)
	}
	return asStatus(err)
}

// withoutValues has the deadline and the cancellation of a caller's context, and nothing that it carries.
type withoutValues struct{ context.Context }

func (withoutValues) Value(any) any { return nil }

var errNoMessage = errors.New("grpckit: not a protobuf message")

func copyMessage(into, from any) error {
	target, isMessage := into.(proto.Message)
	source, alsoMessage := from.(proto.Message)
	if !isMessage || !alsoMessage {
		return errNoMessage
	}
	proto.Merge(target, source)
	return nil
}

// handOver sets the fields of a response; what is in them is no longer the handler's.
func handOver(into, from any) error {
	target, isMessage := into.(proto.Message)
	source, alsoMessage := from.(proto.Message)
	if !isMessage || !alsoMessage {
		return errNoMessage
	}
	fields := target.ProtoReflect()
	source.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		fields.Set(field, value)
		return true
	})
	return nil
}

// asStatus is what a network would carry of an error: its status, and no cause.
func asStatus(err error) error {
	if err == nil {
		return nil
	}
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	return status.FromContextError(err).Err()
}

// transport gathers a call's header and trailer.
type transport struct {
	method          string
	header, trailer metadata.MD
}

var _ grpc.ServerTransportStream = (*transport)(nil)

// Method is the full name of the called method.
func (t *transport) Method() string { return t.method }

// SetHeader adds to the header.
func (t *transport) SetHeader(md metadata.MD) error {
	t.header = metadata.Join(t.header, md)
	return nil
}

// SendHeader adds to the header: it leaves with the answer.
func (t *transport) SendHeader(md metadata.MD) error { return t.SetHeader(md) }

// SetTrailer adds to the trailer.
func (t *transport) SetTrailer(md metadata.MD) error {
	t.trailer = metadata.Join(t.trailer, md)
	return nil
}

// tell gives the caller what its options ask for.
func (t *transport) tell(opts []grpc.CallOption) {
	for _, option := range opts {
		switch wanted := option.(type) {
		case grpc.HeaderCallOption:
			*wanted.HeaderAddr = t.header
		case grpc.TrailerCallOption:
			*wanted.TrailerAddr = t.trailer
		}
	}
}
