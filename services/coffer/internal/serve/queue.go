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

// openQueue connects to the NATS of the configuration, or starts one inside this process, and makes the streams. ready
// says what is wrong with it.
func openQueue(
	ctx context.Context, config Config, logger *slog.Logger, parts *lifecycle.Group,
) (conn *nats.Conn, ready func() error, err error) {
	conn, server, err := connectQueue(ctx, config, logger, parts)
	if err != nil {
		return nil, nil, err
	}
	parts.Defer("connection to NATS", func() error { conn.Close(); return nil })
	js, err := bus.JetStream(conn)
	if err != nil {
		return nil, nil, err
	}
	if err := bus.Setup(ctx, js, bus.WithReplicas(config.NATS.Replicas)); err != nil {
		return nil, nil, err
	}
	if server == nil {
		// Whether it is connected, the api says.
		return conn, func() error { return nil }, nil
	}
	// Not before: a stream that is being made looks like a broken one.
	parts.Go(ctx, "the queue's streams", server.Keep)
	return conn, server.Ready, nil
}

// connectQueue answers with the server too, if it is inside this process.
func connectQueue(
	ctx context.Context, config Config, logger *slog.Logger, parts *lifecycle.Group,
) (conn *nats.Conn, server *embedded.Server, err error) {
	if config.NATS.URL != "" {
		conn, err = bus.Connect(config.NATS, "coffer", nil, logger)
		return conn, nil, err
	}
	server, err = embedded.Start(ctx, config.EmbeddedNATS, logger)
	if err != nil {
		return nil, nil, fmt.Errorf("start the queue: %w", err)
	}
	parts.Defer("NATS", func() error { server.Stop(); return nil })
	conn, err = server.Connect("coffer")
	return conn, server, err
}
