package taskmanager

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/action"
	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/lifecycle"
	"github.com/coffer-dbaas/coffer/pkg/pause"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/consumer"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/flow"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/local"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/monitor"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/openstack"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/sweep"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/workflow"
)

const (
	// apiRetry is the pause between attempts to reach the api at start.
	apiRetry       = 200 * time.Millisecond
	apiCallTimeout = 5 * time.Second
)

// Deps are what a taskmanager is connected to. The caller owns and closes them, after Run has returned.
type Deps struct {
	// API reaches the internal services of the api.
	API  grpc.ClientConnInterface
	NATS *nats.Conn
	// Replicas of streams that have to be made anew; 0 is one.
	Replicas int
	// Logger is required.
	Logger *slog.Logger
	// Metrics may be nil. Traces go to the process's tracer provider.
	Metrics prometheus.Registerer
}

// Taskmanager is one that is ready to run.
type Taskmanager struct {
	config    Config
	deps      Deps
	provider  step.Provider
	identity  *identity
	dialer    *guest.Dialer
	workflows []*flow.Workflow
	consumer  *consumer.Consumer
	monitor   *monitor.Monitor
	// sweeper is nil for a provider that holds nothing out of sight.
	sweeper *sweep.Sweeper
	ready   chan struct{}
}

// New opens the provider, and gets an identity from the api, for which it waits until ctx ends.
func New(ctx context.Context, config Config, deps Deps) (*Taskmanager, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("taskmanager: %w", err)
	}
	provider, err := openProvider(ctx, config, deps.Logger.With("part", "provider"))
	if err != nil {
		return nil, fmt.Errorf("taskmanager: %w", err)
	}
	return assemble(ctx, config, deps, provider)
}

func openProvider(ctx context.Context, config Config, logger *slog.Logger) (step.Provider, error) {
	if config.Provider == ProviderOpenStack {
		return openstack.Open(ctx, config.OpenStack, nil, logger)
	}
	return local.Open(ctx, config.Local, logger)
}

func assemble(ctx context.Context, config Config, deps Deps, provider step.Provider) (*Taskmanager, error) {
	js, err := bus.JetStream(deps.NATS)
	if err != nil {
		return nil, fmt.Errorf("taskmanager: %w", err)
	}
	journal := journalv1.NewJournalServiceClient(deps.API)
	signing := journalv1.NewSigningServiceClient(deps.API)
	t := &Taskmanager{config: config, deps: deps, provider: provider, ready: make(chan struct{})}
	err = t.untilAnswered(ctx, func(ctx context.Context) (err error) {
		t.identity, err = newIdentity(ctx, config.Name, signing)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("taskmanager: %w", err)
	}
	t.dialer = guest.NewDialer(t.identity.Identity)
	guests := journalv1.NewGuestServiceClient(deps.API)
	t.workflows = workflow.All(workflow.Parts{
		Servers: provider, Volumes: provider, Ports: provider, Guests: t.dialer, Signing: signing,
		Directory: guest.NewDirectory(guests), KeepFailed: config.KeepFailed, BootLimit: config.BootLimit, CatchUpLimit: config.CatchUpLimit,
	})
	engine := flow.NewEngine(journal, t.workflows, flow.WithLogger(deps.Logger), flow.WithObserver(flow.NewObserver(deps.Metrics, otel.GetTracerProvider())), flow.WithGrace(config.Grace))
	t.consumer = consumer.New(js, journal, engine, consumer.Config{
		Worker: config.Name, Replicas: deps.Replicas,
		Concurrency: map[action.Lane]int{action.Quick: config.QuickTasks, action.Slow: config.SlowTasks},
	}, deps.Logger)
	t.monitor = monitor.New(monitor.Config{
		Worker: config.Name, SignOfLife: config.Monitor.SignOfLife, Silence: config.Monitor.Silence,
	}, guests, signing,
		t.dialer, provider.Events(), deps.Logger)
	if cloud, swept := provider.(sweep.Cloud); swept {
		t.sweeper, err = sweep.New(config.Sweep, cloud, guests, deps.Metrics, deps.Logger)
	}
	return t, err
}

// Ready is closed when the provider is registered and tasks are taken.
func (t *Taskmanager) Ready() <-chan struct{} { return t.ready }

// Health is nil when tasks are taken, and NATS is there to bring them.
func (t *Taskmanager) Health() error {
	select {
	case <-t.ready:
	default:
		return errNotReady
	}
	if !t.deps.NATS.IsConnected() {
		return errNoNATS
	}
	return nil
}

var (
	errNotReady = errors.New("taskmanager: not ready yet: the api has not taken its provider")
	errNoNATS   = errors.New("taskmanager: NATS is away")
)

// Run works until ctx ends, and returns when everything it started has been waited for: running tasks first, which stop
// at a step border and go on at the next start, then the monitor, the provider last.
func (t *Taskmanager) Run(ctx context.Context) error {
	defer t.dialer.Close()
	parts := lifecycle.New(t.deps.Logger)
	parts.Go(ctx, "provider", t.runProvider)
	parts.Go(ctx, "identity", func(ctx context.Context) error { t.identity.renew(ctx, t.deps.Logger); return nil })
	if err := t.register(ctx); err != nil {
		return errors.Join(stopped(ctx, err), parts.Stop())
	}
	if t.config.Provider == ProviderOpenStack {
		parts.Go(ctx, "catalogue", func(ctx context.Context) error { t.registerAgain(ctx); return nil })
	}
	parts.Go(ctx, "monitor", func(ctx context.Context) error { t.monitor.Run(ctx); return nil })
	if t.sweeper != nil {
		parts.Go(ctx, "sweeper", func(ctx context.Context) error { t.sweeper.Run(ctx); return nil })
	}
	parts.Go(ctx, "consumer", func(ctx context.Context) error { t.consumer.Run(ctx); return nil })
	close(t.ready)
	err := parts.Wait(ctx)
	return errors.Join(err, parts.Stop())
}

// stopped is nil for an error that only says that ctx ended.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// runProvider gives the end of the provider's context the cause by which it knows what to do with its servers.
func (t *Taskmanager) runProvider(ctx context.Context) error {
	running, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	stop := context.AfterFunc(ctx, func() {
		if t.config.StopServers {
			end(local.ErrStopServers)
			return
		}
		end(lifecycle.ErrStopped)
	})
	defer stop()
	return t.provider.Run(running)
}

// register tells the api what the provider offers, and what each action would do.
func (t *Taskmanager) register(ctx context.Context) error {
	catalog, err := t.provider.Catalog(ctx)
	if err != nil {
		return fmt.Errorf("describe the provider: %w", err)
	}
	for _, w := range t.workflows {
		catalog.Workflows = append(catalog.Workflows, w.Outline())
	}
	client := journalv1.NewCatalogServiceClient(t.deps.API)
	return t.untilAnswered(ctx, func(ctx context.Context) error {
		if _, err := client.RegisterProvider(ctx, catalog); err != nil {
			return fmt.Errorf("register the provider: %w", err)
		}
		return nil
	})
}

// registerAgain keeps up with what a cloud offers, until ctx ends. What a host offers changes with its packages, and is read
// at start alone.
func (t *Taskmanager) registerAgain(ctx context.Context) {
	for pause.For(ctx, t.config.OpenStack.CatalogInterval) {
		if err := t.register(ctx); err != nil && ctx.Err() == nil {
			t.deps.Logger.Warn("the provider's offer was not read again", "error", err)
		}
	}
}

// untilAnswered repeats a call while the api is away: programs may be started in any order.
func (t *Taskmanager) untilAnswered(ctx context.Context, call func(context.Context) error) error {
	for told := false; ; told = true {
		calling, cancel := context.WithTimeout(ctx, apiCallTimeout)
		err := call(calling)
		cancel()
		if err == nil || !errs.IsKind(err, errs.Unavailable) || ctx.Err() != nil {
			return err
		}
		if !told {
			t.deps.Logger.Info("waiting for the api", "error", err)
		}
		if !pause.For(ctx, apiRetry) {
			return errors.Join(ctx.Err(), err)
		}
	}
}
