package pki_test

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/pki"
)

// issued are the files of a program, as `coffer pki issue` makes them.
type issued struct {
	pki.Files

	t       *testing.T
	written time.Time
}

func newIssued(t *testing.T, ca *pki.CA) *issued {
	t.Helper()
	dir := t.TempDir()
	i := &issued{t: t, written: time.Now(), Files: pki.Files{
		CA: filepath.Join(dir, "ca.pem"), Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"),
	}}
	i.write(i.CA, ca.PEM())
	return i
}

// write leaves a file that is newer than all that were written before, whatever the clock's grain.
func (i *issued) write(path string, text []byte) {
	i.t.Helper()
	require.NoError(i.t, os.WriteFile(path, text, 0o600))
	i.written = i.written.Add(time.Second)
	require.NoError(i.t, os.Chtimes(path, i.written, i.written))
}

// issue writes a certificate and its key, and answers with the certificate.
func (i *issued) issue(ca *pki.CA, name pki.Name) *x509.Certificate {
	i.t.Helper()
	certificate, key, err := ca.Issue(name, time.Hour)
	require.NoError(i.t, err)
	i.write(i.Certificate, certificate)
	i.write(i.Key, key)
	pair, err := tls.X509KeyPair(certificate, key)
	require.NoError(i.t, err)
	return pair.Leaf
}

// shown is the certificate that a client shows to a server.
func shown(t *testing.T, server *pki.Identity, client *tls.Config) *x509.Certificate {
	t.Helper()
	var seen *x509.Certificate
	config := server.ServerTLS(func(pki.Name) error { return nil })
	check := config.VerifyConnection
	config.VerifyConnection = func(state tls.ConnectionState) error {
		seen = state.PeerCertificates[0]
		return check(state)
	}
	require.NoError(t, handshake(t, config, client))
	return seen
}

func TestAnIdentityFollowsItsFiles(t *testing.T) {
	ca := openCA(t)
	api := issue(t, ca, pki.APIName("a"))
	files := newIssued(t, ca)
	first := files.issue(ca, pki.GatewayName("g"))
	identity, err := pki.LoadIdentity(files.Files, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	client := identity.ClientTLS(pki.OnlyKind(pki.KindAPI))
	assert.Equal(t, first.SerialNumber, shown(t, api, client).SerialNumber)

	second := files.issue(ca, pki.GatewayName("g"))
	require.NotEqual(t, first.SerialNumber, second.SerialNumber)
	assert.Equal(t, second.SerialNumber, shown(t, api, client).SerialNumber)

	for what, spoil := range map[string]func(){
		"another name":  func() { files.issue(ca, pki.GatewayName("other")) },
		"a foreign CA":  func() { files.issue(openCA(t), pki.GatewayName("g")) },
		"a broken file": func() { files.write(files.Certificate, []byte("nonsense")) },
		"no file":       func() { require.NoError(t, os.Remove(files.Key)) },
	} {
		spoil()
		assert.Equal(t, second.SerialNumber, shown(t, api, client).SerialNumber, what)
	}
	third := files.issue(ca, pki.GatewayName("g"))
	assert.Equal(t, third.SerialNumber, shown(t, api, client).SerialNumber)
}

func TestAMissingFileIsNamedByItsSetting(t *testing.T) {
	ca := openCA(t)
	files := newIssued(t, ca)
	files.issue(ca, pki.GatewayName("g"))
	for setting, path := range map[string]*string{
		"ca_file: ": &files.CA, "certificate_file: ": &files.Certificate, "key_file: ": &files.Key,
	} {
		for _, missing := range []string{"", "/nonexistent"} {
			there := *path
			*path = missing
			_, err := pki.LoadIdentity(files.Files, slog.New(slog.DiscardHandler))
			require.ErrorContains(t, err, setting)
			*path = there
		}
	}
}

func TestAHostsCertificateFollowsItsFiles(t *testing.T) {
	ca := openCA(t)
	files := newIssued(t, ca)
	first := files.issue(ca, pki.APIName("a"))
	config, err := pki.HostTLS(files.Certificate, files.Key, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	served := func() *x509.Certificate {
		certificate, err := config.GetCertificate(nil)
		require.NoError(t, err)
		return certificate.Leaf
	}
	assert.Equal(t, first.SerialNumber, served().SerialNumber)
	second := files.issue(ca, pki.APIName("a"))
	assert.Equal(t, second.SerialNumber, served().SerialNumber)
	files.write(files.Key, []byte("nonsense"))
	assert.Equal(t, second.SerialNumber, served().SerialNumber)
	_, err = pki.HostTLS(files.Certificate, files.Key, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "load the certificate")
}
