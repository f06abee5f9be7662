package natstest

import (
	"context"
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/bus/embedded"
)

// Start runs a server without an open port for the length of the test.
func Start(t testing.TB) *embedded.Server {
	t.Helper()
	return start(t, embedded.Config{Dir: t.TempDir()})
}

// Listen runs a server on a free loopback port, for programs that connect from outside; its URL says where.
func Listen(t testing.TB) *embedded.Server {
	t.Helper()
	return start(t, embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
}

func start(t testing.TB, config embedded.Config) *embedded.Server {
	t.Helper()
	server, err := embedded.Start(context.Background(), config, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	return server
}

// Connect opens a connection to a server for the length of the test.
func Connect(t testing.TB, server *embedded.Server) *nats.Conn {
	t.Helper()
	conn, err := server.Connect(t.Name())
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

// JetStream is a server of its own with our streams and consumers set up.
func JetStream(t testing.TB) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	conn := Connect(t, Start(t))
	js, err := bus.JetStream(conn)
	require.NoError(t, err)
	require.NoError(t, bus.Setup(context.Background(), js))
	return conn, js
}
