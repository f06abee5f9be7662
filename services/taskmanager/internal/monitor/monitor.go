package monitor

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/coffer-dbaas/coffer/pkg/pause"
	"github.com/coffer-dbaas/coffer/pkg/pulse"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

const (
	// joinInterval is how often the place among the living is renewed.
	joinInterval = 5 * time.Second
	callTimeout  = 5 * time.Second
	firstRetry   = 100 * time.Millisecond
	lastRetry    = 5 * time.Second
)

// Config sets the monitor's times.
type Config struct {
	// Worker is the taskmanager's name.
	Worker string
	// SignOfLife is how often a guest whose state does not change is reported, and the longest silence that is asked of
	// its agent. Default 30 s.
	SignOfLife time.Duration
	// Silence is how long a guest may say nothing until that is reported. Default 75 s.
	Silence time.Duration
	// Look is how often the guests are listed although nobody said that they changed: news may be lost on the way.
	// Default 30 s.
	Look time.Duration
}

func (c Config) withDefaults() Config {
	if c.SignOfLife == 0 {
		c.SignOfLife = 30 * time.Second
	}
	if c.Silence == 0 {
		c.Silence = 75 * time.Second
	}
	if c.Look == 0 {
		c.Look = 30 * time.Second
	}
	return c
}

// Monitor watches this worker's share of the guests.
type Monitor struct {
	config  Config
	api     journalv1.GuestServiceClient
	signing journalv1.SigningServiceClient
	dialer  *guest.Dialer
	events  <-chan step.ServerEvent
	logger  *slog.Logger

	// changed has room for one: the guests or the living may have changed.
	changed chan struct{}
	// watchers are touched by share alone.
	watchers map[string]*watcher
}

// New makes a monitor. events are the provider's; nil when it has none.
func New(
	config Config, api journalv1.GuestServiceClient, signing journalv1.SigningServiceClient, dialer *guest.Dialer,
	events <-chan step.ServerEvent, logger *slog.Logger,
) *Monitor {
	return &Monitor{
		config: config.withDefaults(), api: api, signing: signing, dialer: dialer, events: events, logger: logger,
		changed: make(chan struct{}, 1), watchers: map[string]*watcher{},
	}
}

// Run watches until ctx ends, then leaves the living in order.
func (m *Monitor) Run(ctx context.Context) {
	var parts sync.WaitGroup
	parts.Go(func() { m.listen(ctx) })
	parts.Go(func() { m.passServerEvents(ctx) })
	m.share(ctx)
	parts.Wait()
	m.leave(ctx)
}

// share keeps the set of watchers equal to this worker's share.
func (m *Monitor) share(ctx context.Context) {
	defer m.stopWatchers()
	join := time.NewTimer(pulse.Next(joinInterval))
	defer join.Stop()
	look := time.NewTimer(pulse.Next(m.config.Look))
	defer look.Stop()
	var workers []string
	stale := true
	for {
		living, err := m.join(ctx, false)
		if err == nil {
			stale = stale || !equal(workers, living)
			workers = living
		} else if ctx.Err() == nil {
			m.logger.Warn("place among the monitors not renewed", "error", err)
		}
		if stale && err == nil {
			if err := m.assign(ctx, workers); err != nil {
				m.logger.Warn("guests not listed", "error", err)
			} else {
				stale = false
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-join.C:
			join.Reset(pulse.Next(joinInterval))
		case <-look.C:
			look.Reset(pulse.Next(m.config.Look))
			stale = true
		case <-m.changed:
			stale = true
		}
	}
}

func (m *Monitor) assign(ctx context.Context, workers []string) error {
	asking, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	list, err := m.api.ListGuests(asking, &journalv1.ListGuestsRequest{})
	if err != nil {
		return fmt.Errorf("list guests: %w", err)
	}
	mine := map[string]*journalv1.Guest{}
	for _, g := range list.GetGuests() {
		if owner(workers, g.GetInstanceId()) == m.config.Worker {
			mine[g.GetInstanceId()] = g
		}
	}
	for id, w := range m.watchers {
		if g, still := mine[id]; !still || g.GetGuestAddress() != w.address {
			w.stop()
			delete(m.watchers, id)
		}
		if _, still := mine[id]; !still {
			m.dialer.Forget(id)
		}
	}
	for id, g := range mine {
		expires := time.Unix(g.GetCertificateExpires(), 0)
		if g.GetCertificateExpires() == 0 {
			// Not enrolled yet: there is nobody to talk to.
			continue
		}
		if w, known := m.watchers[id]; known {
			w.certificateEnds(expires)
			continue
		}
		m.watchers[id] = m.watch(ctx, id, g.GetGuestAddress(), expires)
	}
	return nil
}

func (m *Monitor) stopWatchers() {
	for _, w := range m.watchers {
		w.cancel()
	}
	for id, w := range m.watchers {
		w.stop()
		delete(m.watchers, id)
	}
}

func (m *Monitor) join(ctx context.Context, leave bool) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	response, err := m.api.JoinMonitors(ctx, &journalv1.JoinMonitorsRequest{Worker: m.config.Worker, Leave: leave})
	if err != nil {
		return nil, fmt.Errorf("join monitors: %w", err)
	}
	return response.GetWorkers(), nil
}

// leave lets the others take over at once. If it fails they do so when the place runs out.
func (m *Monitor) leave(ctx context.Context) {
	if _, err := m.join(context.WithoutCancel(ctx), true); err != nil {
		m.logger.Info("could not leave the monitors in order", "error", err)
	}
}

// listen learns that guests or workers changed. Whatever may have been missed while the stream was down is made good
// by looking again whenever it stands.
func (m *Monitor) listen(ctx context.Context) {
	retry := firstRetry
	for ctx.Err() == nil {
		err := m.stream(ctx, func() { retry = firstRetry })
		if ctx.Err() != nil {
			return
		}
		m.logger.Info("stream of guests broke, opening it again", "error", err, "in", retry)
		pause.For(ctx, retry)
		retry = min(2*retry, lastRetry)
	}
}

func (m *Monitor) stream(ctx context.Context, opened func()) error {
	stream, err := m.api.WatchGuests(ctx, &journalv1.WatchGuestsRequest{})
	if err != nil {
		return fmt.Errorf("watch guests: %w", err)
	}
	m.look()
	for {
		if _, err := stream.Recv(); err != nil {
			return fmt.Errorf("watch guests: %w", err)
		}
		opened()
		m.look()
	}
}

func (m *Monitor) look() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// passServerEvents tells the api what the provider noticed of servers.
func (m *Monitor) passServerEvents(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-m.events:
			m.passServerEvent(ctx, event)
		}
	}
}

func (m *Monitor) passServerEvent(ctx context.Context, event step.ServerEvent) {
	request := &journalv1.ReportServerStatusRequest{InstanceId: event.InstanceID, ServerStatus: event.Status}
	insist(ctx, func(ctx context.Context) error {
		_, err := m.api.ReportServerStatus(ctx, request)
		return err
	}, m.logger.With("instance_id", event.InstanceID, "server_status", event.Status))
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
