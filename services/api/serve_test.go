package api_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/grpckit"
	"github.com/coffer-dbaas/coffer/pkg/nettest"
	"github.com/coffer-dbaas/coffer/pkg/observe"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	identityv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/identity/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/api"
)

// alone serves an api on listeners of its own.
func alone(t *testing.T) (*world, api.ListenConfig) {
	t.Helper()
	var listen api.ListenConfig
	w := newQuietWorld(t, func(c *api.Config) {
		c.Name = "api-1"
		c.Listen.Public, c.Listen.Internal = nettest.FreeAddress(t), nettest.FreeAddress(t)
		c.Listen.Identity, c.Listen.Operations = nettest.FreeAddress(t), nettest.FreeAddress(t)
		listen = c.Listen
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.api.Serve(ctx, observe.MetricsHandler(observe.NewRegistry())) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-ended)
	})
	return w, listen
}

// dialAs connects under a name, and trusts only apis.
func (w *world) dialAs(address string, name pki.Name) *grpc.ClientConn {
	w.t.Helper()
	certificate, key, err := w.api.CA().Issue(name, time.Hour)
	require.NoError(w.t, err)
	own, err := pki.NewIdentity(certificate, key, w.api.CA().PEM())
	require.NoError(w.t, err)
	return w.dial(address, own.ClientTLS(pki.OnlyKind(pki.KindAPI)))
}

func (w *world) dial(address string, config *tls.Config) *grpc.ClientConn {
	w.t.Helper()
	conn, err := grpckit.Dial(address, config)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { require.NoError(w.t, conn.Close()) })
	return conn
}

func TestFacesOfAnAPIThatRunsAloneKnowTheirPeers(t *testing.T) {
	t.Parallel()
	w, listen := alone(t)
	w.offering()
	ready := grpc.WaitForReady(true)
	ctx, cancel := context.WithTimeout(w.as("demo"), patience)
	defer cancel()
	project := w.project("demo")
	internalCall := func(conn grpc.ClientConnInterface, options ...grpc.CallOption) error {
		_, err := journalv1.NewGuestServiceClient(conn).ListGuests(ctx, &journalv1.ListGuestsRequest{}, options...)
		return err
	}
	publicCall := func(conn grpc.ClientConnInterface, options ...grpc.CallOption) error {
		_, err := identityv1.NewAccessServiceClient(conn).
			CheckAccess(ctx, &identityv1.CheckAccessRequest{ProjectId: project}, options...)
		return err
	}
	taskmanager, gateway := pki.TaskmanagerName("tm-1"), pki.GatewayName("gw-1")
	require.NoError(t, internalCall(w.dialAs(listen.Internal, taskmanager), ready))
	require.NoError(t, publicCall(w.dialAs(listen.Public, gateway), ready))

	require.Error(t, internalCall(w.dialAs(listen.Internal, gateway)))
	require.Error(t, internalCall(w.dialAs(listen.Internal, pki.InstanceName(unknownID))), "a stolen guest key")
	require.Error(t, internalCall(w.dialAs(listen.Internal, pki.BootstrapName(unknownID))))
	require.Error(t, publicCall(w.dialAs(listen.Public, taskmanager)))
	require.Error(t, internalCall(w.dial(listen.Internal, nil)), "in the clear")
	require.Error(t, internalCall(w.dialAs(listen.Public, gateway)), "the public face has no internal services")
	require.Error(t, publicCall(w.dialAs(listen.Internal, taskmanager)))

	signing := journalv1.NewSigningServiceClient(w.dialAs(listen.Internal, taskmanager))
	_, err := signing.SignTaskmanager(ctx,
		&journalv1.SignTaskmanagerRequest{Name: "tm-1", CertificateRequest: certificateRequest(t)}, ready)
	require.NoError(t, err)
	_, err = signing.SignTaskmanager(ctx,
		&journalv1.SignTaskmanagerRequest{Name: "tm-2", CertificateRequest: certificateRequest(t)}, ready)
	assert.True(t, errs.IsReason(err, "WRONG_PEER"), "%v", err)

	own := w.dialAs(listen.Internal, taskmanager)
	_, err = journalv1.NewJournalServiceClient(own).ClaimTask(ctx,
		&journalv1.ClaimTaskRequest{TaskId: unknownID, Worker: "tm-2"}, ready)
	assert.True(t, errs.IsReason(err, "WRONG_PEER"), "a claim in another's name: %v", err)
	_, err = journalv1.NewGuestServiceClient(own).JoinMonitors(ctx, &journalv1.JoinMonitorsRequest{Worker: "tm-2"}, ready)
	assert.True(t, errs.IsReason(err, "WRONG_PEER"), "a place among the monitors in another's name: %v", err)
}

func TestOperatorsSeeHealthAndMetricsOfAnAPIThatRunsAlone(t *testing.T) {
	t.Parallel()
	w, listen := alone(t)
	fetch := func(url string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0
		}
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode
	}
	health := func() int { return fetch("http://" + listen.Operations + "/healthz") }
	require.Eventually(t, func() bool { return health() == http.StatusServiceUnavailable }, patience, time.Millisecond)
	w.offering()
	assert.Equal(t, http.StatusOK, health())
	assert.Equal(t, http.StatusOK, fetch("http://"+listen.Operations+"/metrics"))
	assert.Equal(t, http.StatusOK, fetch("http://"+listen.Identity+"/v3"))
}
