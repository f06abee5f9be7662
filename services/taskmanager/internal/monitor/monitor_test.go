package monitor_test

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/grpckit"
	"github.com/coffer-dbaas/coffer/pkg/nettest"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	"github.com/coffer-dbaas/coffer/pkg/status"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest/fake"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/monitor"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step/steptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// api is the side of the api that monitors see.
type api struct {
	journalv1.UnimplementedGuestServiceServer

	reports chan *journalv1.ReportGuestStatusRequest
	servers chan *journalv1.ReportServerStatusRequest

	mu      sync.Mutex
	living  map[string]bool
	guests  map[string]*journalv1.Guest
	changed map[chan struct{}]bool
}

func newAPI() *api {
	return &api{
		reports: make(chan *journalv1.ReportGuestStatusRequest, 100), servers: make(chan *journalv1.ReportServerStatusRequest, 100),
		living: map[string]bool{}, guests: map[string]*journalv1.Guest{}, changed: map[chan struct{}]bool{},
	}
}

func (a *api) JoinMonitors(_ context.Context, r *journalv1.JoinMonitorsRequest) (*journalv1.JoinMonitorsResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.living[r.GetWorker()] == r.GetLeave() {
		a.living[r.GetWorker()] = !r.GetLeave()
		if r.GetLeave() {
			delete(a.living, r.GetWorker())
		}
		a.tell()
	}
	return &journalv1.JoinMonitorsResponse{Workers: slices.Sorted(maps.Keys(a.living))}, nil
}

func (a *api) ListGuests(context.Context, *journalv1.ListGuestsRequest) (*journalv1.ListGuestsResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &journalv1.ListGuestsResponse{Guests: slices.Collect(maps.Values(a.guests))}, nil
}

func (a *api) WatchGuests(_ *journalv1.WatchGuestsRequest, stream grpc.ServerStreamingServer[journalv1.WatchGuestsResponse]) error {
	news := make(chan struct{}, 1)
	a.mu.Lock()
	a.changed[news] = true
	a.mu.Unlock()
	for {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-news:
			if err := stream.Send(&journalv1.WatchGuestsResponse{}); err != nil {
				return err
			}
		}
	}
}

func (a *api) tell() {
	for news := range a.changed {
		select {
		case news <- struct{}{}:
		default:
		}
	}
}

func (a *api) setGuest(id string, g *journalv1.Guest) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if g == nil {
		delete(a.guests, id)
	} else {
		a.guests[id] = g
	}
	a.tell()
}

func (a *api) ReportGuestStatus(
	_ context.Context, r *journalv1.ReportGuestStatusRequest,
) (*journalv1.ReportGuestStatusResponse, error) {
	a.reports <- r
	return &journalv1.ReportGuestStatusResponse{}, nil
}

func (a *api) ReportServerStatus(
	_ context.Context, r *journalv1.ReportServerStatusRequest,
) (*journalv1.ReportServerStatusResponse, error) {
	a.servers <- r
	return &journalv1.ReportServerStatusResponse{}, nil
}

// report waits for a report of a guest with a status; "" is silence.
func (a *api) report(t *testing.T, id, service string) *journalv1.ReportGuestStatusRequest {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case r := <-a.reports:
			if r.GetInstanceId() == id && r.GetStatus().GetServiceStatus() == service {
				return r
			}
		case <-deadline:
			t.Fatalf("no report of %s as %q", id, service)
		}
	}
}

type bench struct {
	api *api
	ca  *steptest.CA
}

func setup(t *testing.T) *bench {
	t.Helper()
	return &bench{api: newAPI(), ca: steptest.NewCA(t)}
}

// start runs a monitor until the returned function is called, which waits for it.
func (b *bench) start(t *testing.T, config monitor.Config, events <-chan step.ServerEvent) (stop func()) {
	t.Helper()
	channel := grpckit.NewChannel(nil, nil)
	journalv1.RegisterGuestServiceServer(channel, b.api)
	dialer := guest.NewDialer(b.ca.Identity(t, pki.TaskmanagerName(config.Worker)))
	m := monitor.New(config, journalv1.NewGuestServiceClient(channel), b.ca, dialer, events, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
		dialer.Close()
	})
	t.Cleanup(stop)
	return stop
}

// guest starts an enrolled agent, at an address, or anywhere when that is empty.
func (b *bench) guest(t *testing.T, id, address string) (agent *fake.Agent, listens string) {
	t.Helper()
	if address == "" {
		address = nettest.FreeAddress(t)
	}
	agent, err := b.ca.Agent(id)
	require.NoError(t, err)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- agent.Serve(listener) }()
	t.Cleanup(func() {
		agent.Stop()
		assert.NoError(t, <-served)
	})
	return agent, listener.Addr().String()
}

func enrolled(id, address string) *journalv1.Guest {
	return &journalv1.Guest{InstanceId: id, GuestAddress: address, CertificateExpires: time.Now().Add(24 * time.Hour).Unix()}
}

func TestAChangeIsReportedAtOnce(t *testing.T) {
	b := setup(t)
	agent, address := b.guest(t, "a", "")
	agent.Become(status.ServiceHealthy, "")
	b.start(t, monitor.Config{Worker: "tm"}, nil)
	b.api.setGuest("a", enrolled("a", address))

	first := b.api.report(t, "a", "HEALTHY")
	agent.Become(status.ServiceCrashed, "signal 9")
	second := b.api.report(t, "a", "CRASHED")

	assert.Equal(t, "tm", second.GetWorker())
	assert.Equal(t, "signal 9", second.GetStatus().GetMessage())
	assert.Greater(t, second.GetStatus().GetSequence(), first.GetStatus().GetSequence())
	assert.Equal(t, first.GetStatus().GetAgentLife(), second.GetStatus().GetAgentLife())
}

func TestAGuestThatIsBackIsFoundAgain(t *testing.T) {
	b := setup(t)
	first, address := b.guest(t, "a", "")
	first.Become(status.ServiceHealthy, "")
	b.start(t, monitor.Config{Worker: "tm"}, nil)
	b.api.setGuest("a", enrolled("a", address))
	life := b.api.report(t, "a", "HEALTHY").GetStatus().GetAgentLife()

	first.Stop()
	second, _ := b.guest(t, "a", address)
	second.Become(status.ServiceRunning, "")

	assert.NotEqual(t, life, b.api.report(t, "a", "RUNNING").GetStatus().GetAgentLife())
}

func TestAGuestOfWhomNobodyToldIsFound(t *testing.T) {
	b := setup(t)
	known, address := b.guest(t, "a", "")
	known.Become(status.ServiceHealthy, "")
	unheardOf, elsewhere := b.guest(t, "b", "")
	unheardOf.Become(status.ServiceHealthy, "")
	b.start(t, monitor.Config{Worker: "tm", Look: 5 * time.Millisecond}, nil)
	b.api.setGuest("a", enrolled("a", address))
	b.api.report(t, "a", "HEALTHY")

	b.api.mu.Lock()
	b.api.guests["b"] = enrolled("b", elsewhere)
	b.api.mu.Unlock()

	b.api.report(t, "b", "HEALTHY")
}

func TestSilenceIsReported(t *testing.T) {
	b := setup(t)
	agent, address := b.guest(t, "a", "")
	agent.Become(status.ServiceHealthy, "")
	b.start(t, monitor.Config{Worker: "tm", SignOfLife: 50 * time.Millisecond, Silence: 200 * time.Millisecond}, nil)
	b.api.setGuest("a", enrolled("a", address))
	b.api.report(t, "a", "HEALTHY")

	agent.Stop()

	assert.Nil(t, b.api.report(t, "a", "").GetStatus())
}

func TestAQuietGuestGivesSignsOfLife(t *testing.T) {
	b := setup(t)
	agent, address := b.guest(t, "a", "")
	agent.Become(status.ServiceHealthy, "")
	b.start(t, monitor.Config{Worker: "tm", SignOfLife: 50 * time.Millisecond}, nil)
	b.api.setGuest("a", enrolled("a", address))

	for range 3 {
		b.api.report(t, "a", "HEALTHY")
	}
}

func TestAGuestUnderAnotherNameIsNotBelieved(t *testing.T) {
	b := setup(t)
	impostor, address := b.guest(t, "impostor", "")
	impostor.Become(status.ServiceHealthy, "")
	b.start(t, monitor.Config{Worker: "tm", SignOfLife: 50 * time.Millisecond, Silence: 200 * time.Millisecond}, nil)
	b.api.setGuest("a", enrolled("a", address))

	assert.Nil(t, b.api.report(t, "a", "").GetStatus())
}

func TestTheLivingShareTheGuestsAndTakeOverThoseOfOneThatLeaves(t *testing.T) {
	b := setup(t)
	ids := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	for _, id := range ids {
		agent, address := b.guest(t, id, "")
		agent.Become(status.ServiceHealthy, "")
		b.api.setGuest(id, enrolled(id, address))
	}
	stop := b.start(t, monitor.Config{Worker: "tm1"}, nil)
	b.reportedBy(t, "tm1", len(ids))
	b.start(t, monitor.Config{Worker: "tm2"}, nil)
	b.reportedBy(t, "tm2", 1)

	stop()

	b.reportedBy(t, "tm2", len(ids)-1)
}

// reportedBy waits until a worker has reported so many guests.
func (b *bench) reportedBy(t *testing.T, worker string, count int) {
	t.Helper()
	seen := map[string]bool{}
	deadline := time.After(patience)
	for len(seen) < count {
		select {
		case r := <-b.api.reports:
			if r.GetWorker() == worker {
				seen[r.GetInstanceId()] = true
			}
		case <-deadline:
			t.Fatalf("%s reported only %v", worker, seen)
		}
	}
}

func TestACertificateIsRenewedAtHalfOfItsLife(t *testing.T) {
	b := setup(t)
	agent, address := b.guest(t, "a", "")
	agent.Become(status.ServiceHealthy, "")
	b.start(t, monitor.Config{Worker: "tm"}, nil)
	due := enrolled("a", address)
	due.CertificateExpires = time.Now().Add(11 * time.Hour).Unix()
	b.api.setGuest("a", due)

	require.Eventually(t, func() bool { return agent.Acted("RenewCertificate") > 0 }, patience, 5*time.Millisecond)
}

func TestWhatTheProviderNoticesOfAServerIsPassedOn(t *testing.T) {
	b := setup(t)
	events := make(chan step.ServerEvent, 1)
	b.start(t, monitor.Config{Worker: "tm"}, events)

	events <- step.ServerEvent{InstanceID: "a", Status: "SHUTDOWN"}

	select {
	case r := <-b.api.servers:
		assert.Equal(t, "SHUTDOWN", r.GetServerStatus())
	case <-time.After(patience):
		t.Fatal("no report")
	}
}
