package observe

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/coffer-dbaas/coffer/pkg/version"
)

// TraceConfig says where traces go.
type TraceConfig struct {
	// Endpoint is the URL of an OTLP/gRPC collector, such as http://127.0.0.1:4317. Default empty: no traces are made,
	// and ids of callers are passed on.
	Endpoint string `koanf:"endpoint"`
}

// StartTracing sets the process up to make traces and pass their ids on. The function it answers with sends what is
// left and ends it.
func StartTracing(ctx context.Context, config TraceConfig, service string) (func(context.Context) error, error) {
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(
		propagation.TraceContext{}, propagation.Baggage{},
	))
	if config.Endpoint == "" {
		return func(context.Context) error { return nil }, nil
	}
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(config.Endpoint))
	if err != nil {
		return nil, fmt.Errorf("send traces to %s: %w", config.Endpoint, err)
	}
	provider := trace.NewTracerProvider(
		trace.WithBatcher(exporter),
		trace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", service),
			attribute.String("service.version", version.Version),
		)),
	)
	otel.SetTracerProvider(provider)
	return provider.Shutdown, nil
}
