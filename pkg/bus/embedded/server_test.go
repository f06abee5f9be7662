package embedded_test

import (
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/bus/embedded"
)

func start(t *testing.T, config embedded.Config) *embedded.Server {
	t.Helper()
	server, err := embedded.Start(t.Context(), config, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	return server
}

func TestNoPortIsOpenUnlessAsked(t *testing.T) {
	assert.Empty(t, start(t, embedded.Config{Dir: t.TempDir()}).URL())
}

func TestOthersConnectOnlyWithTheToken(t *testing.T) {
	server := start(t, embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0", Token: "let me in"})
	_, err := nats.Connect(server.URL())
	require.ErrorIs(t, err, nats.ErrAuthorization)
	conn, err := nats.Connect(server.URL(), nats.Token("let me in"))
	require.NoError(t, err)
	conn.Close()
	own, err := server.Connect("own")
	require.NoError(t, err)
	own.Close()
}

func TestStreamsOutliveTheServer(t *testing.T) {
	dir := t.TempDir()
	first := start(t, embedded.Config{Dir: dir})
	conn, err := first.Connect("test")
	require.NoError(t, err)
	js, err := bus.JetStream(conn)
	require.NoError(t, err)
	require.NoError(t, bus.Setup(t.Context(), js))
	_, err = js.Publish(t.Context(), bus.EventSubject("p", bus.TaskEvents), []byte("told"))
	require.NoError(t, err)
	conn.Close()
	first.Stop()

	conn, err = start(t, embedded.Config{Dir: dir}).Connect("test")
	require.NoError(t, err)
	defer conn.Close()
	js, err = bus.JetStream(conn)
	require.NoError(t, err)
	stream, err := js.Stream(t.Context(), bus.EventStream)
	require.NoError(t, err)
	message, err := stream.GetMsg(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, "told", string(message.Data))
}

func TestAnOpenListenerNeedsAToken(t *testing.T) {
	require.NoError(t, embedded.Config{}.Validate())
	require.NoError(t, embedded.Config{Listen: "127.0.0.1:4222"}.Validate())
	require.NoError(t, embedded.Config{Listen: "0.0.0.0:4222", Token: "x"}.Validate())
	require.Error(t, embedded.Config{Listen: "0.0.0.0:4222"}.Validate())
	require.Error(t, embedded.Config{Listen: "nonsense"}.Validate())
}
