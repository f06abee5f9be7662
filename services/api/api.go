package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/bus"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	"github.com/coffer-dbaas/coffer/services/api/internal/call"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/event"
	"github.com/coffer-dbaas/coffer/services/api/internal/journal"
	"github.com/coffer-dbaas/coffer/services/api/internal/newinstance"
	"github.com/coffer-dbaas/coffer/services/api/internal/outbox"
	"github.com/coffer-dbaas/coffer/services/api/internal/policy"
	"github.com/coffer-dbaas/coffer/services/api/internal/secret"
	"github.com/coffer-dbaas/coffer/services/api/internal/server"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/gormstore"
)

// Deps are what an api is connected to. The caller owns them, and closes the connection after the api.
type Deps struct {
	NATS *nats.Conn
	// Replicas of streams that have to be made anew; 0 is one.
	Replicas int
	// Logger is required.
	Logger *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// MakeRoom is called when the state's disk is full, before the write is tried once more; nil where nobody keeps room in
	// reserve. SQLite only.
	MakeRoom func()
}

// API is an api with its state open. Its services answer from then on; Run does what is to be done beside them.
type API struct {
	config   Config
	deps     Deps
	store    *gormstore.Store
	ca       *pki.CA
	identity identityService
	catalog  *catalog.Cache
	events   *event.Hub
	guests   *journal.Bell
	public   *server.Server
	internal *journal.Server
	chains   struct{ public, internal call.Chain }
	relay    *outbox.Relay
	sweep    *outbox.Sweep
}

// Migrate brings the database of the state up to date.
func Migrate(ctx context.Context, config Config) error { return gormstore.Migrate(ctx, config.State) }

// New opens the state, which Migrate has brought up to date. The caller closes what it answers with.
func New(ctx context.Context, config Config, deps Deps) (*API, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Metrics == nil {
		deps.Metrics = prometheus.NewRegistry()
	}
	state, err := gormstore.Open(ctx, config.State, deps.Logger, gormstore.WithClock(deps.Now), gormstore.WithRoom(deps.MakeRoom))
	if err != nil {
		return nil, err
	}
	a := &API{config: config, deps: deps, store: state, catalog: catalog.NewCache(state)}
	if err := a.assemble(); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *API) assemble() error {
	rules, err := policy.Load(a.config.PolicyFile)
	if err != nil {
		return err
	}
	secrets, err := secret.OpenFile(a.config.MasterKeyFile)
	if err != nil {
		return err
	}
	if a.ca, err = pki.OpenCA(a.config.CADir); err != nil {
		return err
	}
	if a.identity, err = a.openIdentity(); err != nil {
		return err
	}
	figures, err := call.NewFigures(a.deps.Metrics)
	if err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	js, err := bus.JetStream(a.deps.NATS)
	if err != nil {
		return err
	}
	a.events = event.NewHub(js, a.config.WatchersPerProject, a.deps.Replicas)
	if a.guests, err = journal.NewBell(a.deps.NATS, a.deps.Logger); err != nil {
		return err
	}
	rush := &outbox.Rush{}
	if a.relay, err = outbox.NewRelay(a.store, a.deps.NATS, rush, a.deps.Replicas, a.deps.Logger); err != nil {
		return err
	}
	a.sweep = outbox.NewSweep(a.store, a.relay, a.config.SweepInterval, a.deps.Now, a.deps.Logger)
	a.chains.public = call.Public(a.identity.authenticator, figures, a.deps.Logger)
	a.chains.internal = call.Internal(figures, a.deps.Logger)
	a.public = server.New(server.Parts{
		Store: a.store, Catalog: a.catalog, Policy: rules, Secrets: secrets, Events: a.events, Figures: figures,
		Settings: a.settings(), Now: a.deps.Now, Rush: rush,
	})
	a.internal = journal.New(journal.Parts{
		Store: a.store, Catalog: a.catalog, Secrets: secrets, CA: a.ca, Guests: a.guests, Logger: a.deps.Logger,
		Lease: a.config.Lease, MaxClaims: a.config.MaxClaims, MonitorLease: a.config.MonitorLease,
	})
	return nil
}

func (a *API) settings() server.Settings {
	return server.Settings{
		PublicURL:     a.config.PublicURL,
		InstancesPage: a.config.InstancesPageSize,
		TasksPage:     a.config.TasksPageSize,
		Limits:        newinstance.Limits{MaxVolumeSize: a.config.MaxAcceptedVolumeSize},
		EjectSilence:  a.config.EjectSilence,
		Quota:         a.config.Quota.limits(),
		Rates:         a.config.RateLimits.verbs(),
	}
}

// PublicServices puts the services for users on a registrar whose calls pass PublicInterceptors.
func (a *API) PublicServices(registrar grpc.ServiceRegistrar) { a.public.Register(registrar) }

// InternalServices puts the services for taskmanagers on a registrar whose calls pass InternalInterceptors. It must be
// out of users' reach: in process, or behind mTLS.
func (a *API) InternalServices(registrar grpc.ServiceRegistrar) { a.internal.Register(registrar) }

// PublicInterceptors ask for the token and the project, among the rest.
func (a *API) PublicInterceptors() ([]grpc.UnaryServerInterceptor, []grpc.StreamServerInterceptor) {
	return a.chains.public.Unary, a.chains.public.Stream
}

// InternalInterceptors ask for no token.
func (a *API) InternalInterceptors() ([]grpc.UnaryServerInterceptor, []grpc.StreamServerInterceptor) {
	return a.chains.internal.Unary, a.chains.internal.Stream
}

// CA signs for all parts of the control plane.
func (a *API) CA() *pki.CA { return a.ca }

// ReleaseWorker gives back at once what a taskmanager held that is known to be dead, instead of when its leases end.
func (a *API) ReleaseWorker(ctx context.Context, worker string) error {
	released, err := a.store.ReleaseWorker(ctx, worker)
	if released > 0 {
		a.deps.Logger.Info("tasks of a former run go on", "worker", worker, "tasks", released)
	}
	return err
}

// Ready names the part that is not ready yet; nil when all are.
func (a *API) Ready(ctx context.Context) error {
	if err := a.store.Ping(ctx); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if !a.deps.NATS.IsConnected() {
		return errors.New("queue: not connected")
	}
	if err := a.identity.ready(ctx); err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	if _, err := a.catalog.Get(ctx); err != nil {
		return fmt.Errorf("provider: %w", err)
	}
	return nil
}

// Run carries messages out of the state until the context ends. Streams end with it, so that servers can stop.
func (a *API) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	parts.Go(func() { a.relay.Run(ctx) })
	parts.Go(func() { a.sweep.Run(ctx) })
	<-ctx.Done()
	a.EndStreams()
	parts.Wait()
	return nil
}

// EndStreams ends all streams of events and of guests; new ones end at once.
func (a *API) EndStreams() {
	if a.events != nil {
		a.events.Close()
	}
	if a.guests != nil {
		a.guests.Close()
	}
}

// Close ends the streams and closes the state, after the calls that are being answered.
func (a *API) Close() error {
	a.EndStreams()
	return a.store.Close()
}
