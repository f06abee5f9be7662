package steptest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/pki"
	journalv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/journal/v1"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest/fake"
)

// CA is the api's signing service on a CA of its own, without the api's rules about runs.
type CA struct {
	ca *pki.CA
}

// NewCA makes a CA for the length of the test.
func NewCA(t testing.TB) *CA {
	t.Helper()
	ca, err := pki.OpenCA(t.TempDir())
	require.NoError(t, err)
	return &CA{ca: ca}
}

// Identity is an identity of the CA's, for the length of the test.
func (c *CA) Identity(t testing.TB, name pki.Name) *pki.Identity {
	t.Helper()
	certificate, key, err := c.ca.Issue(name, time.Hour)
	require.NoError(t, err)
	identity, err := pki.NewIdentity(certificate, key, c.ca.PEM())
	require.NoError(t, err)
	return identity
}

// IssueBootstrap issues a bootstrap identity.
func (c *CA) IssueBootstrap(
	_ context.Context, r *journalv1.IssueBootstrapRequest, _ ...grpc.CallOption,
) (*journalv1.IssueBootstrapResponse, error) {
	certificate, key, err := c.ca.Issue(pki.BootstrapName(r.GetInstanceId()), time.Hour)
	return &journalv1.IssueBootstrapResponse{CaPem: c.ca.PEM(), CertificatePem: certificate, KeyPem: key}, err
}

// SignGuest signs for an instance.
func (c *CA) SignGuest(
	_ context.Context, r *journalv1.SignGuestRequest, _ ...grpc.CallOption,
) (*journalv1.SignGuestResponse, error) {
	signed, err := c.ca.Sign(r.GetCertificateRequest(), pki.InstanceName(r.GetInstanceId()), 24*time.Hour)
	return &journalv1.SignGuestResponse{CertificatePem: signed.CertificatePEM}, err
}

// SignTaskmanager signs for a taskmanager.
func (c *CA) SignTaskmanager(
	_ context.Context, r *journalv1.SignTaskmanagerRequest, _ ...grpc.CallOption,
) (*journalv1.SignTaskmanagerResponse, error) {
	signed, err := c.ca.Sign(r.GetCertificateRequest(), pki.TaskmanagerName(r.GetName()), 24*time.Hour)
	return &journalv1.SignTaskmanagerResponse{CertificatePem: signed.CertificatePEM, CaPem: c.ca.PEM()}, err
}

// Agent is a fake agent that is enrolled already.
func (c *CA) Agent(instanceID string) (*fake.Agent, error) {
	return c.AgentUntil(instanceID, time.Hour)
}

// AgentUntil is an enrolled agent whose certificate is good for so long.
func (c *CA) AgentUntil(instanceID string, lifetime time.Duration) (*fake.Agent, error) {
	certificate, key, err := c.ca.Issue(pki.InstanceName(instanceID), lifetime)
	if err != nil {
		return nil, err
	}
	return fake.New(instanceID, certificate, key, c.ca.PEM())
}
