package guest_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/nettest"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	"github.com/coffer-dbaas/coffer/pkg/status"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest/fake"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/step/steptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type bench struct {
	ca     *steptest.CA
	dialer *guest.Dialer
}

func setup(t *testing.T) *bench {
	t.Helper()
	ca := steptest.NewCA(t)
	dialer := guest.NewDialer(ca.Identity(t, pki.TaskmanagerName("tm")))
	t.Cleanup(dialer.Close)
	return &bench{ca: ca, dialer: dialer}
}

func serve(t *testing.T, agent *fake.Agent, err error) (address string) {
	t.Helper()
	require.NoError(t, err)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- agent.Serve(listener) }()
	t.Cleanup(func() {
		agent.Stop()
		assert.NoError(t, <-served)
	})
	return listener.Addr().String()
}

// fresh is an agent that waits for its enrolment.
func (b *bench) fresh(t *testing.T, id string) (*fake.Agent, string) {
	t.Helper()
	bootstrap, err := b.ca.IssueBootstrap(t.Context(), &journalv1.IssueBootstrapRequest{InstanceId: id})
	require.NoError(t, err)
	agent, err := fake.New(id, bootstrap.GetCertificatePem(), bootstrap.GetKeyPem(), bootstrap.GetCaPem())
	return agent, serve(t, agent, err)
}

func (b *bench) sign(id string) func(context.Context, []byte) ([]byte, error) {
	return func(ctx context.Context, request []byte) ([]byte, error) {
		signed, err := b.ca.SignGuest(ctx, &journalv1.SignGuestRequest{InstanceId: id, CertificateRequest: request})
		return signed.GetCertificatePem(), err
	}
}

func limited(t *testing.T, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

func TestAGuestIsEnrolledOnceAndCalledUnderItsName(t *testing.T) {
	b := setup(t)
	agent, address := b.fresh(t, "a")
	agent.LoseNext("Enroll")

	require.Error(t, b.dialer.Enroll(t.Context(), "a", address, b.sign("a")), "the answer is lost")
	require.NoError(t, b.dialer.Enroll(t.Context(), "a", address, b.sign("a")))

	assert.Equal(t, 1, agent.Acted("Enroll"))
	assert.Equal(t, pki.InstanceName("a"), agent.Name())
	g, err := b.dialer.Guest("a", address)
	require.NoError(t, err)
	_, err = g.Status(t.Context())
	require.NoError(t, err)
}

func TestAnAgentIsAwaitedThatDoesNotListenYet(t *testing.T) {
	b := setup(t)
	address := nettest.FreeAddress(t)
	bootstrap, err := b.ca.IssueBootstrap(t.Context(), &journalv1.IssueBootstrapRequest{InstanceId: "a"})
	require.NoError(t, err)
	agent, err := fake.New("a", bootstrap.GetCertificatePem(), bootstrap.GetKeyPem(), bootstrap.GetCaPem())
	require.NoError(t, err)
	enrolled := make(chan error, 1)
	go func() { enrolled <- b.dialer.Enroll(t.Context(), "a", address, b.sign("a")) }()

	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- agent.Serve(listener) }()

	require.NoError(t, <-enrolled)
	agent.Stop()
	require.NoError(t, <-served)
}

func TestAnotherInstancesAgentIsNeitherEnrolledNorCalled(t *testing.T) {
	b := setup(t)
	agent, address := b.fresh(t, "b")

	err := b.dialer.Enroll(limited(t, time.Second), "a", address, b.sign("a"))
	require.Error(t, err)
	assert.Zero(t, agent.Acted("Enroll"))

	require.NoError(t, b.dialer.Enroll(t.Context(), "b", address, b.sign("b")))
	g, err := b.dialer.Guest("a", address)
	require.NoError(t, err)
	_, err = g.Status(limited(t, time.Second))
	assert.True(t, errs.IsReason(err, "WRONG_PEER"), "%v", err)
}

func TestAnOperationIsDoneOnceAndRefusedToAnOlderRun(t *testing.T) {
	b := setup(t)
	agent, err := b.ca.Agent("a")
	address := serve(t, agent, err)
	g, err := b.dialer.Guest("a", address)
	require.NoError(t, err)
	said := []string{}
	say := func(message string) { said = append(said, message) }
	operation := &guestagentv1.Operation{Id: "task/restart_database", Epoch: 7}

	agent.LoseNext("RestartDatabase")
	require.Error(t, g.RestartDatabase(t.Context(), operation, say))
	require.NoError(t, g.RestartDatabase(t.Context(), operation, say))
	err = g.RestartDatabase(t.Context(), &guestagentv1.Operation{Id: "older/restart_database", Epoch: 6}, say)

	assert.True(t, errs.IsReason(err, "RUN_SUPERSEDED"))
	assert.Equal(t, 1, agent.Acted("RestartDatabase"))
	assert.Contains(t, said, "working")
}

func TestAwaitingAStatusSaysWhatWasSeenLast(t *testing.T) {
	b := setup(t)
	agent, err := b.ca.Agent("a")
	address := serve(t, agent, err)
	agent.Become(status.ServiceCrashed, "signal 9")
	g, err := b.dialer.Guest("a", address)
	require.NoError(t, err)
	healthy := func(s *guestagentv1.DatabaseStatus) bool {
		return s.GetServiceStatus() == string(status.ServiceHealthy)
	}

	_, err = g.AwaitStatus(limited(t, 200*time.Millisecond), healthy)
	require.ErrorContains(t, err, "CRASHED (signal 9)")

	seen := make(chan error, 1)
	go func() { _, err := g.AwaitStatus(t.Context(), healthy); seen <- err }()
	agent.Become(status.ServiceHealthy, "")
	assert.NoError(t, <-seen)
}

func TestACertificateIsRenewedAlsoAfterItsEnd(t *testing.T) {
	b := setup(t)
	agent, err := b.ca.AgentUntil("a", -time.Minute)
	address := serve(t, agent, err)
	g, err := b.dialer.Guest("a", address)
	require.NoError(t, err)
	_, err = g.Status(limited(t, time.Second))
	require.Error(t, err, "an ended certificate is good for nothing else")

	require.NoError(t, b.dialer.Renew(t.Context(), "a", address, b.sign("a")))

	require.Eventually(t, func() bool { _, err := g.Status(t.Context()); return err == nil }, 10*time.Second, 10*time.Millisecond)
}

func TestANewAddressReplacesTheConnection(t *testing.T) {
	b := setup(t)
	first, err := b.ca.Agent("a")
	former := serve(t, first, err)
	second, err := b.ca.Agent("a")
	latter := serve(t, second, err)
	second.Become(status.ServiceHealthy, "")
	_, err = b.dialer.Guest("a", former)
	require.NoError(t, err)

	g, err := b.dialer.Guest("a", latter)
	require.NoError(t, err)
	seen, err := g.Status(t.Context())

	require.NoError(t, err)
	assert.Equal(t, string(status.ServiceHealthy), seen.GetServiceStatus())
}
