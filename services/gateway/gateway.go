package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/services/gateway/internal/dialect"
	"github.com/coffer-dbaas/coffer/services/gateway/internal/server"
)

// Health says whether everything behind the gateway is ready; its error names the part that is not.
type Health func(context.Context) error

// New makes the handler of the REST API. The connection leads to the api's public services: over gRPC, or inside the
// process. The handler answers every path, /healthz and /healthcheck among them.
func New(config Config, conn grpc.ClientConnInterface, healthy Health, logger *slog.Logger) (http.Handler, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("gateway configuration: %w", err)
	}
	rest, err := dialect.New(context.Background(), dialect.Config{
		PublicURL:   config.PublicURL,
		IdentityURL: config.IdentityURL,
		RateLimits:  config.RateLimits.byMethod(),
		Healthy:     healthy,
	}, conn, logger)
	if err != nil {
		return nil, fmt.Errorf("make the dialects: %w", err)
	}
	return rest, nil
}

// Serve answers HTTP on the listener until the context ends, with the limits that suit a public door, and returns
// when the last request is answered.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger) error {
	return server.Serve(ctx, listener, handler, logger) //nolint:wrapcheck // It says what it did itself.
}
