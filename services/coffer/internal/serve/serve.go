package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coffer-dbaas/coffer/pkg/grpckit"
	"github.com/coffer-dbaas/coffer/pkg/lifecycle"
	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/services/api"
	"github.com/coffer-dbaas/coffer/services/gateway"
	"github.com/coffer-dbaas/coffer/services/taskmanager"
)

// Run serves until the context ends, and then stops everything in order: the running tasks at their step border, the
// local servers unless they shall be kept, the doors, the api, the queue. It writes the ready line to out once all of it
// answers.
func Run(ctx context.Context, config Config, out io.Writer, logger *slog.Logger) (err error) {
	parts := lifecycle.New(logger)
	defer func() { err = errors.Join(err, parts.Stop()) }()

	held, err := openFolder(config.Serve.DataDir)
	if err != nil {
		return err
	}
	parts.Defer("data folder", held.release)
	parts.Go(ctx, "garbage", allowGarbage)
	spare := openReserve(held.dir, logger)
	parts.Go(ctx, "disk", spare.run)
	endTracing, err := observe.StartTracing(ctx, config.Trace, "coffer")
	if err != nil {
		return err
	}
	parts.Defer("traces", func() error { return endTracing(context.WithoutCancel(ctx)) })
	registry := observe.NewRegistry()

	rest, err := listen(ctx, config.Serve.Listen)
	if err != nil {
		return err
	}
	parts.Defer("REST address", func() error { return ignoreClosed(rest.Close()) })
	fill(&config.Taskmanager.Name, "serve-"+held.id)
	config, err = config.completed(rest.Addr().String())
	if err != nil {
		return err
	}
	if err := makeUsers(config, logger); err != nil {
		return err
	}

	queue, queueReady, err := openQueue(ctx, config, logger, parts)
	if err != nil {
		return err
	}
	state, err := openAPI(ctx, config, api.Deps{
		NATS: queue, Replicas: config.NATS.Replicas, Logger: logger, Metrics: registry, MakeRoom: spare.giveUp,
	}, parts)
	if err != nil {
		return err
	}
	fill(&config.Gateway.IdentityURL, state.IdentityURL())
	public, internal := channels(state)
	parts.Go(ctx, "api", state.Run)

	err = openDoors(ctx, config, doors{
		rest: rest, state: state, public: public, registry: registry, ready: allReady(state.Ready, spare.Ready, queueReady),
	}, parts, logger)
	if err != nil {
		return err
	}

	tasks, err := taskmanager.New(ctx, config.Taskmanager, taskmanager.Deps{
		API: internal, NATS: queue, Replicas: config.NATS.Replicas, Logger: logger, Metrics: registry,
	})
	if err != nil {
		return err
	}
	parts.Go(ctx, "taskmanager", tasks.Run)
	select {
	case <-tasks.Ready():
		announce(out, config)
	case <-ctx.Done():
		return nil
	}
	return parts.Wait(ctx)
}

// makeUsers sees to the users of the control plane's own identity service, if it has one.
func makeUsers(config Config, logger *slog.Logger) error {
	if !config.hasUsers() {
		return nil
	}
	known, err := writeClouds(config)
	if err != nil {
		return err
	}
	if !known {
		logger.Warn("clouds.yaml is gone, and with it the passwords of the first users", "data_dir", config.Serve.DataDir)
	}
	return nil
}

// openAPI brings the state up to date and opens it. The lock of the data folder proves that the former taskmanager of
// this name is dead, so its tasks go on at once.
func openAPI(ctx context.Context, config Config, deps api.Deps, parts *lifecycle.Group) (*api.API, error) {
	if err := api.Migrate(ctx, config.API); err != nil {
		return nil, fmt.Errorf("bring the state up to date: %w", err)
	}
	state, err := api.New(ctx, config.API, deps)
	if err != nil {
		return nil, err
	}
	parts.Defer("state", state.Close)
	if err := state.ReleaseWorker(ctx, config.Taskmanager.Name); err != nil {
		return nil, fmt.Errorf("release the tasks of the former run: %w", err)
	}
	return state, nil
}

// channels are the two faces of the api inside this process: one asks for the user's token, the other is out of users'
// reach.
func channels(state *api.API) (public, internal *grpckit.Channel) {
	public = grpckit.NewChannel(state.PublicInterceptors())
	state.PublicServices(public)
	internal = grpckit.NewChannel(state.InternalInterceptors())
	state.InternalServices(internal)
	return public, internal
}

// doors is what users reach the control plane through.
type doors struct {
	rest     net.Listener
	state    *api.API
	public   *grpckit.Channel
	registry *prometheus.Registry
	ready    gateway.Health
}

// allReady names the first part that is not ready.
func allReady(state gateway.Health, parts ...func() error) gateway.Health {
	return func(ctx context.Context) error {
		for _, ready := range parts {
			if err := ready(); err != nil {
				return err
			}
		}
		return state(ctx)
	}
}

func openDoors(ctx context.Context, config Config, d doors, parts *lifecycle.Group, logger *slog.Logger) error {
	certificate, err := config.Serve.tlsConfig(logger)
	if err != nil {
		return err
	}
	trove, err := gateway.New(config.Gateway, d.public, d.ready, logger) //nolint:contextcheck // Only requests have one.
	if err != nil {
		return err
	}
	if config.Serve.GRPCListen != "" {
		listener, err := listen(ctx, config.Serve.GRPCListen)
		if err != nil {
			return err
		}
		unary, stream := d.state.PublicInterceptors()
		server := grpckit.NewServer(certificate, unary, stream)
		d.state.PublicServices(server)
		parts.Go(ctx, "gRPC", func(ctx context.Context) error { return grpckit.Serve(ctx, server, listener) })
	}
	rest := d.rest
	if certificate != nil {
		rest = tls.NewListener(rest, certificate)
	}
	handler := door(trove, d.state.IdentityHandler(), observe.MetricsHandler(d.registry), config.Serve.OpenMetrics)
	parts.Go(ctx, "REST", func(ctx context.Context) error { return gateway.Serve(ctx, rest, handler, logger) })
	// First of all streams end, for which the servers would wait.
	parts.Defer("streams", func() error { d.state.EndStreams(); return nil })
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
