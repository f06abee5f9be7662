package guestagent_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	guestagentv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/guestagent/v1"
)

func TestBeforeEnrolmentNothingButEnrollIsAnswered(t *testing.T) {
	m := newMachine(t)
	m.startAgent()
	client := m.dial(m.manager, pki.BootstrapName(m.id))
	_, err := client.GetStatus(m.ctx(), &guestagentv1.GetStatusRequest{}, grpc.WaitForReady(true))
	assert.True(t, errs.IsReason(err, "NOT_ENROLLED"), "%v", err)
	err = outcome(client.Prepare(m.ctx(), prepareRequest("task-0/prepare", 1)))
	assert.True(t, errs.IsReason(err, "NOT_ENROLLED"), "%v", err)
}

func TestEnrolmentReplacesTheBootstrapCertificateForGood(t *testing.T) {
	m := newMachine(t)
	m.startAgent()
	m.enroll()
	for _, name := range []string{"cert.pem", "key.pem"} {
		_, err := os.Stat(filepath.Join(m.server.BootstrapDir(), name))
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	info, err := os.Stat(filepath.Join(m.server.IdentityDir(), "key.pem"))
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm())

	stream, err := m.client().Enroll(m.ctx())
	require.NoError(t, err)
	_, err = stream.Recv()
	assert.True(t, errs.IsReason(err, "ALREADY_ENROLLED"), "%v", err)
}

func TestACertificateThatIsNotTheGuestsIsRefused(t *testing.T) {
	m := newMachine(t)
	m.startAgent()
	otherKey, _ := m.issue(pki.InstanceName(m.id))
	exchange := func(certificate func(request []byte) []byte) error {
		stream, err := m.dial(m.manager, pki.BootstrapName(m.id)).Enroll(m.ctx(), grpc.WaitForReady(true))
		require.NoError(t, err)
		require.NoError(t, stream.Send(&guestagentv1.EnrollRequest{}))
		answer, err := stream.Recv()
		require.NoError(t, err)
		require.NoError(t, stream.Send(&guestagentv1.EnrollRequest{CertificatePem: certificate(answer.GetCertificateRequest())}))
		_, err = stream.Recv()
		return err
	}
	for name, certificate := range map[string]func([]byte) []byte{
		"of another key": func([]byte) []byte { return otherKey },
		"of another instance": func(request []byte) []byte {
			signed, err := authority.Sign(request, pki.InstanceName("another"), 0)
			require.NoError(t, err)
			return signed.CertificatePEM
		},
		"none": func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			err := exchange(certificate)
			assert.True(t, errs.IsReason(err, "CERTIFICATE_REFUSED"), "%v", err)
		})
	}
	m.enroll()
}

func TestARenewedCertificateIsInUseAtOnceAndOfTheSameKey(t *testing.T) {
	m := newMachine(t)
	m.startAgent()
	m.enroll()
	before := m.peerCertificate()
	stream, err := m.client().RenewCertificate(m.ctx())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&guestagentv1.RenewCertificateRequest{}))
	answer, err := stream.Recv()
	require.NoError(t, err)
	signed, err := authority.Sign(answer.GetCertificateRequest(), pki.InstanceName(m.id), 2*60*60*1e9)
	require.NoError(t, err)
	require.NoError(t, stream.Send(&guestagentv1.RenewCertificateRequest{CertificatePem: signed.CertificatePEM}))
	answer, err = stream.Recv()
	require.NoError(t, err)
	assert.True(t, answer.GetRenewed())
	after := m.peerCertificate()
	assert.NotEqual(t, before.SerialNumber, after.SerialNumber)
	assert.Equal(t, before.RawSubjectPublicKeyInfo, after.RawSubjectPublicKeyInfo)
}

func TestOnlyATaskmanagerIsHeard(t *testing.T) {
	m := newMachine(t)
	m.startAgent()
	m.enroll()
	certificate, err := os.ReadFile(filepath.Join(m.server.IdentityDir(), "cert.pem"))
	require.NoError(t, err)
	key, err := os.ReadFile(filepath.Join(m.server.IdentityDir(), "key.pem"))
	require.NoError(t, err)
	stolen, err := pki.NewIdentity(certificate, key, authority.PEM())
	require.NoError(t, err)
	foreign, err := pki.OpenCA(t.TempDir())
	require.NoError(t, err)
	for name, identity := range map[string]*pki.Identity{
		"the guest's own key": stolen,
		"a bootstrap":         m.identity(pki.BootstrapName(m.id)),
		"a gateway":           m.identity(pki.GatewayName("g")),
		"another CA":          foreignIdentity(t, foreign),
	} {
		t.Run(name, func(t *testing.T) { assert.Error(t, m.handshake(identity)) })
	}
	assert.NoError(t, m.handshake(m.manager))
}

func foreignIdentity(t *testing.T, foreign *pki.CA) *pki.Identity {
	t.Helper()
	certificate, key, err := foreign.Issue(pki.TaskmanagerName("test"), 60*60*1e9)
	require.NoError(t, err)
	identity, err := pki.NewIdentity(certificate, key, foreign.PEM())
	require.NoError(t, err)
	return identity
}

// handshake is an error when the agent ends the connection: in TLS 1.3 the client learns that with its first read.
func (m *machine) handshake(identity *pki.Identity) error {
	config := identity.ClientTLS(func(pki.Name) error { return nil })
	config.NextProtos = []string{"h2"}
	config.VerifyConnection = nil // what the agent thinks of us is asked, not what we think of it
	connection, err := (&tls.Dialer{Config: config}).DialContext(m.ctx(), "tcp", m.server.AgentListen)
	if err != nil {
		return err
	}
	_, err = connection.Read(make([]byte, 1)) // the settings of HTTP/2
	return errors.Join(err, connection.Close())
}

func (m *machine) peerCertificate() *x509.Certificate {
	m.t.Helper()
	config := m.manager.ClientTLS(pki.Only(pki.InstanceName(m.id)))
	config.NextProtos = []string{"h2"}
	connection, err := (&tls.Dialer{Config: config}).DialContext(m.ctx(), "tcp", m.server.AgentListen)
	require.NoError(m.t, err)
	defer connection.Close()
	return connection.(*tls.Conn).ConnectionState().PeerCertificates[0]
}
