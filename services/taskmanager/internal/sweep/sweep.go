package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
)

// KindServer is the kind of a holding that is a server.
const KindServer = "server"

// Holding is something that a cloud holds for an instance.
type Holding struct {
	// Kind is server, volume, port, security_group, server_group or floating_ip.
	Kind string
	// ID is the cloud's.
	ID         string
	InstanceID string
}

// Cloud is swept. Removing what is not there succeeds.
type Cloud interface {
	// Holdings are all that the cloud holds for instances of this deployment.
	Holdings(ctx context.Context) ([]Holding, error)
	DeleteServer(ctx context.Context, instanceID string) error
	DeleteVolume(ctx context.Context, instanceID string) error
	ReleaseAddress(ctx context.Context, instanceID string) error
}

// Instances is what the sweeper needs of journalv1.GuestServiceClient.
type Instances interface {
	FindInstances(context.Context, *journalv1.FindInstancesRequest, ...grpc.CallOption) (*journalv1.FindInstancesResponse, error)
	ListGuests(context.Context, *journalv1.ListGuestsRequest, ...grpc.CallOption) (*journalv1.ListGuestsResponse, error)
	ReportServerStatus(context.Context, *journalv1.ReportServerStatusRequest, ...grpc.CallOption) (*journalv1.ReportServerStatusResponse, error)
}

// Config says how often and how patiently.
type Config struct {
	// Interval is how often is swept.
	Interval time.Duration `koanf:"interval"`
	// Grace is how long a stray is only told of.
	Grace time.Duration `koanf:"grace"`
	// Keep leaves strays for ever, and only tells of them.
	Keep bool `koanf:"keep"`
}

// DefaultConfig sweeps every ten minutes, with an hour's grace.
func DefaultConfig() Config { return Config{Interval: 10 * time.Minute, Grace: time.Hour} }

// Validate joins all that is wrong, each beginning with the setting's name and a colon.
func (c Config) Validate() error {
	var faults []error
	if c.Interval < time.Second {
		faults = append(faults, fmt.Errorf("interval: must be at least 1s, is %s", c.Interval))
	}
	if c.Grace < 0 {
		faults = append(faults, fmt.Errorf("grace: must not be negative, is %s", c.Grace))
	}
	return errors.Join(faults...)
}

// Sweeper sweeps one cloud.
type Sweeper struct {
	config    Config
	cloud     Cloud
	instances Instances
	log       *slog.Logger
	strays    *prometheus.GaugeVec
	now       func() time.Time

	// since is when each instance's strays, or its missing server, were first seen.
	since, missing map[string]time.Time
}

// New makes a sweeper. metrics may be nil.
func New(config Config, cloud Cloud, instances Instances, metrics prometheus.Registerer, log *slog.Logger) (*Sweeper, error) {
	strays := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "coffer", Subsystem: "taskmanager", Name: "strays",
		Help: "What the cloud holds for instances that are deleted, or that were never known here, at the last sweep.",
	}, []string{"kind", "instance"})
	if metrics != nil {
		if err := metrics.Register(strays); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return &Sweeper{
		config: config, cloud: cloud, instances: instances, log: log, strays: strays, now: time.Now,
		since: map[string]time.Time{}, missing: map[string]time.Time{},
	}, nil
}

// Run sweeps until ctx ends.
func (s *Sweeper) Run(ctx context.Context) {
	for pause.For(ctx, s.config.Interval) {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("not swept", "error", err)
		}
	}
}

// Sweep looks once, and removes what has been a stray for longer than the grace.
func (s *Sweeper) Sweep(ctx context.Context) error {
	// In this order: what is made in between has no guest yet, or is not looked for.
	guests, err := s.instances.ListGuests(ctx, &journalv1.ListGuestsRequest{})
	if err != nil {
		return fmt.Errorf("list guests: %w", err)
	}
	held, err := s.cloud.Holdings(ctx)
	if err != nil {
		return fmt.Errorf("list what the cloud holds: %w", err)
	}
	byInstance := map[string][]Holding{}
	for _, holding := range held {
		byInstance[holding.InstanceID] = append(byInstance[holding.InstanceID], holding)
	}
	found, err := s.instances.FindInstances(ctx, &journalv1.FindInstancesRequest{InstanceIds: slices.Sorted(maps.Keys(byInstance))})
	if err != nil {
		return fmt.Errorf("find instances: %w", err)
	}
	lost := s.tellMissing(ctx, guests.GetGuests(), byInstance)
	for _, id := range found.GetLiving() {
		delete(byInstance, id)
	}
	return errors.Join(lost, s.sweepStrays(ctx, byInstance, found.GetDeleted()))
}

// sweepStrays takes what no living instance owns.
func (s *Sweeper) sweepStrays(ctx context.Context, strays map[string][]Holding, deleted []string) error {
	s.strays.Reset()
	maps.DeleteFunc(s.since, func(id string, _ time.Time) bool { _, still := strays[id]; return !still })
	var faults []error
	for _, id := range slices.Sorted(maps.Keys(strays)) {
		owner := "unknown"
		if slices.Contains(deleted, id) {
			owner = "deleted"
		}
		for _, holding := range strays[id] {
			s.strays.WithLabelValues(holding.Kind, owner).Inc()
		}
		first, known := s.since[id]
		if !known {
			first = s.now()
			s.since[id] = first
			s.log.Warn("strays found", "instance_id", id, "instance", owner, "strays", describe(strays[id]))
		}
		if owner != "deleted" || s.config.Keep || s.now().Sub(first) < s.config.Grace {
			continue
		}
		if err := s.remove(ctx, id); err != nil {
			faults = append(faults, fmt.Errorf("remove the strays of instance %s: %w", id, err))
			continue
		}
		delete(s.since, id)
		s.log.Info("strays removed", "instance_id", id, "strays", describe(strays[id]))
	}
	return errors.Join(faults...)
}

func (s *Sweeper) remove(ctx context.Context, instanceID string) error {
	for _, remove := range []func(context.Context, string) error{
		s.cloud.DeleteServer, s.cloud.DeleteVolume, s.cloud.ReleaseAddress,
	} {
		if err := remove(ctx, instanceID); err != nil {
			return err
		}
	}
	return nil
}

func describe(holdings []Holding) []string {
	texts := make([]string, len(holdings))
	for n, holding := range holdings {
		texts[n] = holding.Kind + " " + holding.ID
	}
	return texts
}

// tellMissing reports instances whose server was gone at this look and at the one before.
func (s *Sweeper) tellMissing(ctx context.Context, guests []*journalv1.Guest, held map[string][]Holding) error {
	missing := map[string]time.Time{}
	var faults []error
	for _, guest := range guests {
		id := guest.GetInstanceId()
		if slices.ContainsFunc(held[id], func(h Holding) bool { return h.Kind == KindServer }) {
			continue
		}
		first, before := s.missing[id]
		if !before {
			missing[id] = s.now()
			continue
		}
		missing[id] = first
		s.log.Warn("the server of an instance is gone", "instance_id", id)
		_, err := s.instances.ReportServerStatus(ctx, &journalv1.ReportServerStatusRequest{
			InstanceId: id, ServerStatus: string(status.ServerDeleted),
		})
		if err != nil {
			faults = append(faults, fmt.Errorf("report that the server of instance %s is gone: %w", id, err))
		}
	}
	s.missing = missing
	return errors.Join(faults...)
}
