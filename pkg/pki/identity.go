package pki

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// Identity is a process's own certificate and the CA it trusts. The certificate can be replaced while in use;
// connections that stand keep the one they began with.
type Identity struct {
	roots   *x509.CertPool
	current atomic.Pointer[tls.Certificate]
	// follow is nil for an identity that comes from no files.
	follow *follower
}

// NewIdentity reads an identity.
func NewIdentity(certificatePEM, keyPEM, caPEM []byte) (*Identity, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(caPEM) {
		return nil, errors.New("read identity: no CA certificate")
	}
	identity := &Identity{roots: roots}
	if err := identity.Replace(certificatePEM, keyPEM); err != nil {
		return nil, err
	}
	return identity, nil
}

// Replace takes a new certificate and its key.
func (i *Identity) Replace(certificatePEM, keyPEM []byte) error {
	certificate, err := tls.X509KeyPair(certificatePEM, keyPEM)
	if err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	return i.take(&certificate)
}

func (i *Identity) take(certificate *tls.Certificate) error {
	if _, err := nameOf(certificate.Leaf); err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	if _, err := certificate.Leaf.Verify(x509.VerifyOptions{
		Roots: i.roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, CurrentTime: certificate.Leaf.NotBefore,
	}); err != nil {
		return fmt.Errorf("read identity: not signed by the given CA: %w", err)
	}
	i.current.Store(certificate)
	return nil
}

// certificate is the one to show now.
func (i *Identity) certificate() *tls.Certificate {
	if i.follow != nil {
		i.follow.look()
	}
	return i.current.Load()
}

// Name is the certificate's name.
func (i *Identity) Name() Name {
	name, err := nameOf(i.current.Load().Leaf)
	if err != nil {
		return ""
	}
	return name
}

// Expires is when the certificate ends.
func (i *Identity) Expires() time.Time { return i.current.Load().Leaf.NotAfter }

// ServerTLS serves TLS 1.3 to clients with a certificate whose name is allowed.
func (i *Identity) ServerTLS(allow func(Name) error) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return i.certificate(), nil },
		ClientAuth:     tls.RequireAndVerifyClientCert,
		ClientCAs:      i.roots,
		VerifyConnection: func(state tls.ConnectionState) error {
			return checkPeer(state, allow)
		},
		// A resumed session would skip the check of a certificate that has since ended.
		SessionTicketsDisabled: true,
	}
}

// GuestTLS serves TLS 1.3 to other guests whose name is allowed. Their certificates are good for being called, not for
// calling anybody: that a guest calls a guest is the one exception, so it is verified here and nowhere else.
func (i *Identity) GuestTLS(allow func(Name) error) *tls.Config {
	config := i.ServerTLS(allow)
	config.ClientAuth = tls.RequireAnyClientCert
	config.VerifyConnection = i.verifyServer(allow, func(*x509.Certificate) time.Time { return time.Now() })
	return config
}

// ClientTLS connects by TLS 1.3 to servers whose name is allowed; host names do not count.
func (i *Identity) ClientTLS(allow func(Name) error) *tls.Config {
	return i.clientTLS(allow, func(*x509.Certificate) time.Time { return time.Now() })
}

// RenewalTLS is ClientTLS for renewing a server's certificate: one that has ended is accepted, because that is when a
// renewal is needed most. Nothing else may be said over such a connection; who signs checks the key by itself.
func (i *Identity) RenewalTLS(allow func(Name) error) *tls.Config {
	return i.clientTLS(allow, func(certificate *x509.Certificate) time.Time {
		if now := time.Now(); now.Before(certificate.NotAfter) {
			return now
		}
		return certificate.NotAfter
	})
}

func (i *Identity) clientTLS(allow func(Name) error, validAt func(*x509.Certificate) time.Time) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return i.certificate(), nil
		},
		// Go can verify the chain only together with a host name; VerifyConnection verifies chain and name instead.
		InsecureSkipVerify: true, //nolint:gosec // verified in VerifyConnection
		VerifyConnection:   i.verifyServer(allow, validAt),
	}
}

// verifyServer checks a certificate that is good for being called.
func (i *Identity) verifyServer(
	allow func(Name) error, validAt func(*x509.Certificate) time.Time,
) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		intermediates := x509.NewCertPool()
		for _, certificate := range state.PeerCertificates[1:] {
			intermediates.AddCert(certificate)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{
			Roots: i.roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			CurrentTime: validAt(state.PeerCertificates[0]),
		})
		if err != nil {
			return fmt.Errorf("check peer: %w", err)
		}
		return checkPeer(state, allow)
	}
}

func checkPeer(state tls.ConnectionState, allow func(Name) error) error {
	name, err := nameOf(state.PeerCertificates[0])
	if err != nil {
		return err
	}
	return allow(name)
}

// PeerOf is the name of the other side of a connection that was verified.
func PeerOf(state tls.ConnectionState) (Name, error) {
	if len(state.PeerCertificates) == 0 {
		return "", errs.New(errs.Forbidden, "WRONG_PEER", "The peer has shown no certificate.")
	}
	return nameOf(state.PeerCertificates[0])
}

// PeerName is the name of the other side of a gRPC call; false when it came without a certificate.
func PeerName(ctx context.Context) (Name, bool) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return "", false
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.PeerCertificates) == 0 {
		return "", false
	}
	name, err := nameOf(info.State.PeerCertificates[0])
	return name, err == nil
}
