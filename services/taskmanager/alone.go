package taskmanager

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/grpckit"
	"github.com/coffer-dbaas/coffer/pkg/lifecycle"
	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/pkg/pki"
)

// operationsTimeout bounds each request for /metrics and /healthz.
const operationsTimeout = 10 * time.Second

// APIConfig says where a taskmanager that runs alone finds the api.
type APIConfig struct {
	// Address of the api's internal services.
	Address string `koanf:"address"`
	// CAFile, CertificateFile and KeyFile, all PEM, are who this taskmanager is, under the name that Config has:
	// `coffer pki issue --name taskmanager/NAME` makes them.
	CAFile          string `koanf:"ca_file"`
	CertificateFile string `koanf:"certificate_file"`
	KeyFile         string `koanf:"key_file"`
}

// RunAlone runs a taskmanager as a program of its own, until ctx ends.
func RunAlone(ctx context.Context, config Config, queue bus.Config, logger *slog.Logger) (err error) {
	files := pki.Files{CA: config.API.CAFile, Certificate: config.API.CertificateFile, Key: config.API.KeyFile}
	own, err := pki.LoadIdentity(files, logger)
	if err != nil {
		return fmt.Errorf("taskmanager.api.%w", err)
	}
	if own.Name() != pki.TaskmanagerName(config.Name) {
		return fmt.Errorf("taskmanager.api.certificate_file: is of %s, and taskmanager.name says %q", own.Name(), config.Name)
	}
	parts := lifecycle.New(logger)
	defer func() { err = errors.Join(err, parts.Stop()) }()
	api, err := grpckit.Dial(config.API.Address, own.ClientTLS(pki.OnlyKind(pki.KindAPI)))
	if err != nil {
		return err
	}
	parts.Defer("connection to the api", api.Close)
	conn, err := bus.Connect(queue, "coffer-taskmanager "+config.Name, nil, logger)
	if err != nil {
		return err
	}
	parts.Defer("connection to NATS", func() error { conn.Close(); return nil })
	registry := observe.NewRegistry()
	made := make(chan *Taskmanager, 1)
	if err := serveOperations(ctx, parts, config.Operations, observe.MetricsHandler(registry), health(made)); err != nil {
		return err
	}
	t, err := New(ctx, config, Deps{API: api, NATS: conn, Replicas: queue.Replicas, Logger: logger, Metrics: registry})
	if err != nil {
		return stopped(ctx, err)
	}
	made <- t
	parts.Go(ctx, "taskmanager", t.Run)
	return parts.Wait(ctx)
}

// health answers for a taskmanager that may not be made yet, because the api is not there.
func health(made chan *Taskmanager) func() error {
	return func() error {
		select {
		case t := <-made:
			made <- t
			return t.Health()
		default:
			return errNotReady
		}
	}
}

func serveOperations(
	ctx context.Context, parts *lifecycle.Group, address string, metrics http.Handler, ready func() error,
) error {
	if address == "" {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen for operations: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", observe.HealthHandler(ready))
	mux.Handle("GET /metrics", metrics)
	server := &http.Server{
		Handler: mux, ReadTimeout: operationsTimeout, WriteTimeout: operationsTimeout, IdleTimeout: time.Minute,
	}
	parts.Go(ctx, "operations", func(ctx context.Context) error {
		release := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer release()
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve operations: %w", err)
		}
		return nil
	})
	return nil
}
