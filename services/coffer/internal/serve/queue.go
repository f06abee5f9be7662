package serve

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/bus/embedded"
	"github.com/coffer-dbaas/coffer/pkg/lifecycle"
)

// openQueue connects to the NATS of the configuration, or starts one inside this process, and makes the streams.
func openQueue(ctx context.Context, config Config, logger *slog.Logger, parts *lifecycle.Group) (*nats.Conn, error) {
	conn, err := connectQueue(ctx, config, logger, parts)
	if err != nil {
		return nil, err
	}
	parts.Defer("connection to NATS", func() error { conn.Close(); return nil })
	js, err := bus.JetStream(conn)
	if err != nil {
		return nil, err
	}
	if err := bus.Setup(ctx, js, bus.WithReplicas(config.NATS.Replicas)); err != nil {
		return nil, err
	}
	return conn, nil
}

func connectQueue(ctx context.Context, config Config, logger *slog.Logger, parts *lifecycle.Group) (*nats.Conn, error) {
	if config.NATS.URL != "" {
		return bus.Connect(config.NATS, "coffer", nil, logger)
	}
	server, err := embedded.Start(ctx, config.EmbeddedNATS, logger)
	if err != nil {
		return nil, fmt.Errorf("start the queue: %w", err)
	}
	parts.Defer("NATS", func() error { server.Stop(); return nil })
	return server.Connect("coffer")
}
