package openstack

import (
	"context"
	"io"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
)

// limited bounds each request, with its answer, and hands the trace on.
type limited struct {
	next  http.RoundTripper
	limit time.Duration
}

// RoundTrip makes one request.
func (l limited) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(request.Context(), l.limit)
	request = request.Clone(ctx)
	otel.GetTextMapPropagator().Inject(ctx, propagation.HeaderCarrier(request.Header))
	answer, err := l.next.RoundTrip(request)
	if err != nil {
		cancel()
		return nil, err
	}
	answer.Body = &body{answer.Body, cancel}
	return answer, nil
}

// body ends the request's limit with the answer.
type body struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close closes the answer.
func (b *body) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
