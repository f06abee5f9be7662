package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"

	"github.com/coffer-dbaas/coffer/pkg/grpckit"
	"github.com/coffer-dbaas/coffer/pkg/lifecycle"
	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	"github.com/coffer-dbaas/coffer/services/gateway/internal/server"
)

// Run is the gateway as a program of its own: it listens where it is told, until the context ends.
func Run(ctx context.Context, config Config, logger *slog.Logger) (err error) {
	if err := config.Validate(); err != nil {
		return fmt.Errorf("gateway configuration: %w", err)
	}
	group := lifecycle.New(logger)
	defer func() { err = errors.Join(err, group.Stop()) }()

	security, err := config.API.tls(logger)
	if err != nil {
		return err
	}
	conn, err := grpckit.Dial(config.API.Address, security)
	if err != nil {
		return fmt.Errorf("reach the api: %w", err)
	}
	group.Defer("connection to the api", conn.Close)
	healthy := reaches(conn, config.API.Address)
	handler, err := New(config, conn, healthy, logger) //nolint:contextcheck // It starts nothing that a context could end.
	if err != nil {
		return err
	}

	registry := observe.NewRegistry()
	operations := http.NewServeMux()
	operations.Handle("/metrics", observe.MetricsHandler(registry))
	operations.Handle("/healthz", observe.HealthHandler(func() error { return healthy(ctx) }))
	if config.Listen.Operations != "" {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", config.Listen.Operations)
		if err != nil {
			return fmt.Errorf("listen for operations: %w", err)
		}
		group.Go(ctx, "operations", func(ctx context.Context) error { return server.Serve(ctx, listener, operations, logger) })
	}
	listener, err := config.Listen.rest(ctx, logger)
	if err != nil {
		return err
	}
	measured := server.Measure(registry, handler)
	group.Go(ctx, "rest", func(ctx context.Context) error { return server.Serve(ctx, listener, measured, logger) })
	logger.InfoContext(ctx, "the gateway serves", "listen", listener.Addr().String(), "api", config.API.Address)
	return group.Wait(ctx)
}

// rest listens for the REST API.
func (c ListenConfig) rest(ctx context.Context, logger *slog.Logger) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.REST)
	if err != nil {
		return nil, fmt.Errorf("listen for REST: %w", err)
	}
	if c.CertificateFile == "" {
		return listener, nil
	}
	certificate, err := pki.HostTLS(c.CertificateFile, c.KeyFile, logger)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for REST: %w", err), listener.Close())
	}
	return tls.NewListener(listener, certificate), nil
}

// tls is how the api is dialled; nil for in the clear.
func (c APIConfig) tls(logger *slog.Logger) (*tls.Config, error) {
	switch c.Security {
	case SecurityNone:
		return nil, nil
	case SecurityTLS:
		return c.hostTLS()
	}
	own, err := pki.LoadIdentity(pki.Files{CA: c.CAFile, Certificate: c.CertificateFile, Key: c.KeyFile}, logger)
	if err != nil {
		return nil, fmt.Errorf("gateway.api.%w", err)
	}
	return own.ClientTLS(pki.OnlyKind(pki.KindAPI)), nil
}

func (c APIConfig) hostTLS() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS13}
	if c.CAFile == "" {
		return config, nil
	}
	authority, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("gateway.api.ca_file: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("gateway.api.ca_file: %s holds no certificate", c.CAFile)
	}
	return config, nil
}

// reachTimeout is how long a question for health waits for a connection that is being made.
const reachTimeout = time.Second

// reaches says whether there is a connection to the api.
func reaches(conn *grpc.ClientConn, address string) Health {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, reachTimeout)
		defer cancel()
		for {
			state := conn.GetState()
			if state == connectivity.Ready {
				return nil
			}
			conn.Connect()
			if state == connectivity.TransientFailure || !conn.WaitForStateChange(ctx, state) {
				return fmt.Errorf("api: no connection to %s (%s)", address, state)
			}
		}
	}
}
