package openstack

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/quotas"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	cloud "github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step"
)

// saboteur stands between the provider and the cloud.
type saboteur struct {
	next http.RoundTripper

	mu     sync.Mutex
	faults []*sabotage
}

// sabotage is done to requests that match, as often as times says, or always when it is negative.
type sabotage struct {
	method string
	path   *regexp.Regexp
	times  int
	code   int
	body   string
	// delay is before the true answer, when there is no code.
	delay time.Duration
}

func (s *saboteur) around(next http.RoundTripper) http.RoundTripper {
	s.next = next
	return s
}

func (s *saboteur) order(fault sabotage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &fault)
}

// RoundTrip answers in the cloud's place, or lets it answer.
func (s *saboteur) RoundTrip(request *http.Request) (*http.Response, error) {
	fault := s.take(request)
	if fault == nil {
		return s.next.RoundTrip(request)
	}
	if fault.code == 0 {
		select {
		case <-request.Context().Done():
			return nil, request.Context().Err()
		case <-time.After(fault.delay):
			return s.next.RoundTrip(request)
		}
	}
	return &http.Response{
		StatusCode: fault.code, Header: http.Header{"Content-Type": {"application/json"}}, Request: request,
		Body: io.NopCloser(bytes.NewBufferString(fault.body)),
	}, nil
}

func (s *saboteur) take(request *http.Request) *sabotage {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.faults, func(f *sabotage) bool {
		return f.times != 0 && f.method == request.Method && f.path.MatchString(request.URL.Path)
	})
	if i < 0 {
		return nil
	}
	s.faults[i].times--
	return s.faults[i]
}

var (
	serverPath  = regexp.MustCompile(`^/v2\.1/servers`)
	createPath  = regexp.MustCompile(`^/v2\.1/servers$`)
	anywhere    = regexp.MustCompile(`.`)
	novaBroken  = `{"computeFault": {"code": 500, "message": "Unexpected API Error."}}`
	novaQuota   = `{"forbidden": {"code": 403, "message": "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances"}}`
	novaBusy    = `{"conflictingRequest": {"code": 409, "message": "Cannot 'delete' instance while it is in task_state spawning"}}`
	tooMuchBody = `{"overLimit": {"code": 413, "message": "This request was rate-limited.", "retryAfter": "1"}}`
)

// broken is a bed whose cloud can be sabotaged.
func newBroken(t *testing.T) (*bed, *saboteur) {
	t.Helper()
	needBed(t)
	b := newBed(t)
	s := &saboteur{}
	b.around = s.around
	return b, s
}

// made is what all before the server gives.
func made(t *testing.T, p *Provider, b *bed) step.ServerSpec {
	t.Helper()
	id := uuid.NewString()
	address, err := p.AllocateAddress(t.Context(), step.AddressSpec{InstanceID: id})
	require.NoError(t, err)
	volume, err := p.CreateVolume(t.Context(), step.VolumeSpec{InstanceID: id, Name: "a volume", Size: 1})
	require.NoError(t, err)
	return step.ServerSpec{
		InstanceID: id, Name: "a server", Address: address, Volume: volume,
		Flavor:    step.Flavor{ID: "1", Name: "m1.512", RAM: 512, VCPUs: 1},
		Bootstrap: step.Bootstrap{CAPEM: []byte("ca"), CertificatePEM: []byte("certificate"), KeyPEM: []byte("key")},
		Manager:   b.Manager(), Version: b.Version(),
	}
}

// unmade is what an undo does.
func unmade(ctx context.Context, t *testing.T, p *Provider, id string) {
	t.Helper()
	require.NoError(t, p.DeleteServer(ctx, id))
	require.NoError(t, p.DeleteVolume(ctx, id))
	require.NoError(t, p.ReleaseAddress(ctx, id))
}

// TestANovaThatFailsNowIsAskedAgainAndLeavesOneServer lets each answer of a create fail, one after the other.
func TestANovaThatFailsNowIsAskedAgainAndLeavesOneServer(t *testing.T) {
	b, s := newBroken(t)
	p := b.open(t)
	spec := made(t, p, b)
	for _, fault := range []sabotage{
		{method: http.MethodGet, path: serverPath, code: 500, body: novaBroken},
		{method: http.MethodPost, path: createPath, code: 503, body: ``},
		{method: http.MethodPost, path: createPath, code: 409, body: novaBusy},
		{method: http.MethodPost, path: createPath, code: 413, body: tooMuchBody},
	} {
		fault.times = 1
		s.order(fault)
		_, err := p.CreateServer(t.Context(), spec)
		assert.True(t, errs.IsKind(err, errs.Unavailable), "%d: got %v", fault.code, err)
	}
	s.order(sabotage{method: http.MethodPost, path: createPath, code: 403, body: novaQuota, times: 1})
	_, err := p.CreateServer(t.Context(), spec)
	assert.True(t, errs.IsKind(err, errs.OverQuota), "got %v", err)

	// What breaks while Nova builds does not end the waiting.
	s.order(sabotage{method: http.MethodGet, path: regexp.MustCompile(`^/v2\.1/servers/[0-9a-f-]{36}$`), code: 502, times: 2})
	server, err := p.CreateServer(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, "ACTIVE", server.Status)
	left, err := p.serversOf(t.Context(), spec.InstanceID)
	require.NoError(t, err)
	assert.Len(t, left, 1)

	s.order(sabotage{method: http.MethodDelete, path: serverPath, code: 409, body: novaBusy, times: 1})
	assert.True(t, errs.IsKind(p.DeleteServer(t.Context(), spec.InstanceID), errs.Unavailable))
	unmade(t.Context(), t, p, spec.InstanceID)
	assert.Empty(t, b.Inventory(t))
}

func TestAnAnswerThatWasLostIsFoundAgain(t *testing.T) {
	b, s := newBroken(t)
	b.cfg.RequestTimeout = 20 * time.Second
	p := b.open(t)
	spec := made(t, p, b)
	lost := &loser{next: s}
	p.compute.HTTPClient.Transport = lost
	_, err := p.CreateServer(t.Context(), spec)
	assert.True(t, errs.IsKind(err, errs.Unavailable), "got %v", err)
	assert.True(t, lost.lost)

	again := b.open(t)
	server, err := again.CreateServer(t.Context(), spec)
	require.NoError(t, err)
	assert.Equal(t, "ACTIVE", server.Status)
	left, err := again.serversOf(t.Context(), spec.InstanceID)
	require.NoError(t, err)
	assert.Len(t, left, 1)
	unmade(t.Context(), t, again, spec.InstanceID)
	assert.Empty(t, b.Inventory(t))
}

// loser lets Nova take the first order for a server, and drops the answer and all that comes later.
type loser struct {
	next http.RoundTripper
	lost bool
}

// RoundTrip loses an answer.
func (l *loser) RoundTrip(request *http.Request) (*http.Response, error) {
	if l.lost {
		return nil, io.ErrUnexpectedEOF
	}
	answer, err := l.next.RoundTrip(request)
	if err == nil && request.Method == http.MethodPost && createPath.MatchString(request.URL.Path) {
		l.lost = true
		_ = answer.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return answer, err
}

func TestASlowNovaIsWaitedForOnlySoLong(t *testing.T) {
	b, s := newBroken(t)
	b.cfg.RequestTimeout = 5 * time.Second
	p := b.open(t)
	s.order(sabotage{method: http.MethodGet, path: serverPath, delay: time.Hour, times: 1})
	_, err := p.Server(t.Context(), uuid.NewString())
	assert.True(t, errs.IsReason(err, "OPENSTACK_SLOW"), "got %v", err)
	_, err = p.Server(t.Context(), uuid.NewString())
	assert.True(t, errs.IsKind(err, errs.NotFound), "got %v", err)
}

func TestAVolumeThatIsStuckEndsWithItsStepAndIsDeletedByForce(t *testing.T) {
	b, s := newBroken(t)
	p := b.open(t)
	id := uuid.NewString()
	_, err := p.CreateVolume(t.Context(), step.VolumeSpec{InstanceID: id, Size: 1})
	require.NoError(t, err)
	volume, err := p.volumeOf(t.Context(), id)
	require.NoError(t, err)
	require.NoError(t, volumes.ResetStatus(t.Context(), p.volume, volume.ID, volumes.ResetStatusOpts{Status: "creating"}).ExtractErr())

	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	_, err = p.CreateVolume(ctx, step.VolumeSpec{InstanceID: id, Size: 1})
	require.ErrorIs(t, err, context.DeadlineExceeded)

	s.order(sabotage{method: http.MethodPost, path: anywhere, code: 503, times: 1})
	assert.True(t, errs.IsKind(p.DeleteVolume(t.Context(), id), errs.Unavailable))
	require.NoError(t, p.DeleteVolume(t.Context(), id))
	assert.Empty(t, b.Inventory(t))
}

func TestAServerForWhichThereIsNoHostSaysSoAndLeavesNothing(t *testing.T) {
	b, _ := newBroken(t)
	p := b.open(t)
	huge := hugeFlavor(t)
	spec := made(t, p, b)
	fits := spec.Flavor
	spec.Flavor = huge
	_, err := p.CreateServer(t.Context(), spec)
	assert.True(t, errs.IsReason(err, "SERVER_ERROR"), "got %v", err)
	require.ErrorContains(t, err, "No valid host was found")
	found, err := p.Server(t.Context(), spec.InstanceID)
	require.NoError(t, err)
	assert.Equal(t, "ERROR", found.Status)
	assert.Contains(t, found.Fault, "No valid host was found")
	require.NoError(t, p.DeleteServer(t.Context(), spec.InstanceID))

	spec.Flavor = fits
	before, err := p.CreateServer(t.Context(), spec)
	require.NoError(t, err)
	_, err = p.ResizeServer(t.Context(), spec.InstanceID, huge)
	require.Error(t, err)
	require.ErrorContains(t, err, "No valid host was found")
	again, err := p.RevertResize(t.Context(), spec.InstanceID)
	require.NoError(t, err)
	assert.Equal(t, before, again)

	unmade(t.Context(), t, p, spec.InstanceID)
	assert.Empty(t, b.Inventory(t))
}

// admin is a client of the cloud's administrator.
func admin(t *testing.T) (*gophercloud.ProviderClient, gophercloud.EndpointOpts) {
	t.Helper()
	client, endpoint, err := cloud.Client(t.Context(), cloud.Config{Cloud: "bed-admin", CloudsFile: bedConfig(t).CloudsFile})
	require.NoError(t, err)
	return client, endpoint
}

// hugeFlavor fits on no host.
func hugeFlavor(t *testing.T) step.Flavor {
	t.Helper()
	client, endpoint := admin(t)
	compute, err := openstack.NewComputeV2(client, endpoint)
	require.NoError(t, err)
	disk := 1
	made, err := flavors.Create(t.Context(), compute, flavors.CreateOpts{Name: "huge-" + uuid.NewString(), RAM: 1_000_000, VCPUs: 1, Disk: &disk}).Extract()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, flavors.Delete(context.WithoutCancel(t.Context()), compute, made.ID).ExtractErr())
	})
	return step.Flavor{ID: made.ID, Name: made.Name, RAM: made.RAM, VCPUs: 1}
}

// TestTheQuotaOfPortsIsNamedAndNothingIsLeft sets the true quota, so no other test may run beside it.
func TestTheQuotaOfPortsIsNamedAndNothingIsLeft(t *testing.T) {
	b, _ := newBroken(t)
	p := b.open(t)
	client, endpoint := admin(t)
	network, err := openstack.NewNetworkV2(client, endpoint)
	require.NoError(t, err)
	set := func(limit int) {
		_, err := quotas.Update(context.WithoutCancel(t.Context()), network, p.project, quotas.UpdateOpts{Port: &limit}).Extract()
		require.NoError(t, err)
	}
	before, err := quotas.Get(t.Context(), network, p.project).Extract()
	require.NoError(t, err)
	defer set(before.Port)
	set(0)

	id := uuid.NewString()
	_, err = p.AllocateAddress(t.Context(), step.AddressSpec{InstanceID: id})
	assert.True(t, errs.IsKind(err, errs.OverQuota), "got %v", err)
	require.ErrorContains(t, err, "port")
	require.NoError(t, p.ReleaseAddress(t.Context(), id))
	assert.Empty(t, b.Inventory(t))
}
