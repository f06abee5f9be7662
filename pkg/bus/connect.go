package bus

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// reconnectWait is the pause between attempts to reach NATS again.
const reconnectWait = 250 * time.Millisecond

// Config says how to reach NATS.
type Config struct {
	// URL of one or more servers, separated by commas.
	URL string `koanf:"url"`
	// CredentialsFile is a NATS .creds file; empty for a server that asks for none.
	CredentialsFile string `koanf:"credentials_file"`
	// Replicas of streams that are made anew: 1, or 3 on a cluster.
	Replicas int `koanf:"replicas"`
}

// DefaultConfig finds a server on this host.
func DefaultConfig() Config { return Config{URL: nats.DefaultURL, Replicas: 1} }

// Connect opens a connection that never gives up: NATS being away costs time and nothing else, so it is waited for
// even at the first attempt. TLS is used when the server asks for it, or with the given configuration. The caller
// closes the connection.
func Connect(config Config, name string, tlsConfig *tls.Config, logger *slog.Logger) (*nats.Conn, error) {
	options := append(
		connectionOptions(name, logger),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
	)
	if config.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(config.CredentialsFile))
	}
	if tlsConfig != nil {
		options = append(options, nats.Secure(tlsConfig))
	}
	conn, err := nats.Connect(config.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w", config.URL, err)
	}
	return conn, nil
}

// ConnectInProcess opens a connection without a socket to a server of this process. The token is what the server asks
// of everybody; empty when it asks for none.
func ConnectInProcess(
	server nats.InProcessConnProvider, name, token string, logger *slog.Logger,
) (*nats.Conn, error) {
	options := append(connectionOptions(name, logger), nats.InProcessServer(server))
	if token != "" {
		options = append(options, nats.Token(token))
	}
	conn, err := nats.Connect("", options...)
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded NATS server: %w", err)
	}
	return conn, nil
}

// JetStream is the view of a connection that everything here works with.
func JetStream(conn *nats.Conn) (jetstream.JetStream, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, fmt.Errorf("open JetStream: %w", err)
	}
	return js, nil
}

func connectionOptions(name string, logger *slog.Logger) []nats.Option {
	return []nats.Option{
		nats.Name(name),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				logger.Warn("NATS is away", "error", err)
			}
		}),
		nats.ReconnectHandler(func(conn *nats.Conn) {
			logger.Info("NATS is back", "server", conn.ConnectedServerName())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			attributes := []any{"error", err}
			if sub != nil {
				attributes = append(attributes, "subject", sub.Subject)
			}
			logger.Warn("NATS reported an error", attributes...)
		}),
	}
}
