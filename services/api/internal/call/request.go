package call

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

const (
	requestIDKey    = "x-request-id"
	requestIDPrefix = "req-"
	traceparentKey  = "traceparent"
)

type requestKey struct{}

// nameRequest takes the caller's request id where it has the usual form, and makes one otherwise.
func nameRequest(ctx context.Context, _ string, next func(context.Context) error) error {
	id := first(ctx, requestIDKey)
	if suffix, cut := strings.CutPrefix(id, requestIDPrefix); !cut || uuid.Validate(suffix) != nil || len(suffix) != 36 {
		id = requestIDPrefix + uuid.NewString()
	}
	return next(context.WithValue(ctx, requestKey{}, id))
}

// RequestID is the id of the request that is being answered.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// SendHeader sends a stream's header before its first message, which tells the caller that the stream is in place. It
// carries the request id, because an empty header is not sent by every transport.
func SendHeader(stream grpc.ServerStream) error {
	return stream.SendHeader(metadata.Pairs(requestIDKey, RequestID(stream.Context())))
}

// Traceparent is the W3C trace context of the request: the current span's, else what the caller sent; empty without.
func Traceparent(ctx context.Context) string {
	format := propagation.TraceContext{}
	if !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = format.Extract(ctx, propagation.MapCarrier{traceparentKey: first(ctx, traceparentKey)})
	}
	carrier := propagation.MapCarrier{}
	format.Inject(ctx, carrier)
	return carrier[traceparentKey]
}

// first is the first value of a key of the request's metadata; empty without.
func first(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}
