package identity

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/pkg/pki"
	"github.com/coffer-dbaas/coffer/services/guestagent/internal/durable"
)

// Guest is the identity of one server's agent.
type Guest struct {
	instanceID       string
	bootstrap, agent string
	identity         *pki.Identity
	enrolled         atomic.Bool
	// exchange is held while a certificate is replaced.
	exchange sync.Mutex
}

// Open reads the guest's own certificate, or the bootstrap one where there is none yet. The folders are the server's
// bootstrap/ and agent/.
func Open(instanceID, bootstrap, agent string) (*Guest, error) {
	g := &Guest{instanceID: instanceID, bootstrap: bootstrap, agent: agent}
	identity, err := read(agent)
	switch {
	case err == nil:
		g.enrolled.Store(true)
		if err := g.forgetBootstrap(); err != nil {
			return nil, err
		}
	case errors.Is(err, fs.ErrNotExist):
		if identity, err = read(bootstrap); err != nil {
			return nil, fmt.Errorf("read bootstrap identity: %w", err)
		}
	default:
		return nil, err
	}
	if want := g.wantedName(); identity.Name() != want {
		return nil, fmt.Errorf("the certificate is of %s, not of %s", identity.Name(), want)
	}
	g.identity = identity
	return g, nil
}

// TLS is the identity in use; it follows every exchange.
func (g *Guest) TLS() *pki.Identity { return g.identity }

// Enrolled says whether the guest has a certificate of its own.
func (g *Guest) Enrolled() bool { return g.enrolled.Load() }

// Request is a certificate request (PKCS #10, DER) of the guest's key, which is made at the first call.
func (g *Guest) Request() ([]byte, error) {
	g.exchange.Lock()
	defer g.exchange.Unlock()
	key, _, err := g.key()
	if err != nil {
		return nil, err
	}
	return pki.Request(key)
}

// Accept takes a certificate for the guest's key: it is on disk and in use when this returns, and the bootstrap
// certificate is gone. Invalid: it is not one for this key and this instance by this CA.
func (g *Guest) Accept(certificatePEM []byte) error {
	g.exchange.Lock()
	defer g.exchange.Unlock()
	_, keyPEM, err := g.key()
	if err != nil {
		return err
	}
	ca, err := os.ReadFile(g.caPath())
	if err != nil {
		return fmt.Errorf("accept certificate: %w", err)
	}
	offered, err := pki.NewIdentity(certificatePEM, keyPEM, ca)
	if err != nil {
		return errs.New(errs.Invalid, "CERTIFICATE_REFUSED",
			"The certificate is not one for the guest's key by the guest's CA.").Because(err)
	}
	if want := pki.InstanceName(g.instanceID); offered.Name() != want {
		return errs.New(errs.Invalid, "CERTIFICATE_REFUSED", "The certificate is of %s, not of %s.", offered.Name(), want)
	}
	// The certificate comes last: with it the guest counts as enrolled.
	if err := durable.WriteFile(filepath.Join(g.agent, "ca.pem"), ca, 0o600); err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(g.agent, "cert.pem"), certificatePEM, 0o600); err != nil {
		return err
	}
	if err := g.identity.Replace(certificatePEM, keyPEM); err != nil {
		return err
	}
	g.enrolled.Store(true)
	return g.forgetBootstrap()
}

func (g *Guest) wantedName() pki.Name {
	if g.Enrolled() {
		return pki.InstanceName(g.instanceID)
	}
	return pki.BootstrapName(g.instanceID)
}

func (g *Guest) caPath() string {
	if g.Enrolled() {
		return filepath.Join(g.agent, "ca.pem")
	}
	return filepath.Join(g.bootstrap, "ca.pem")
}

// key reads the guest's key and makes it where there is none.
func (g *Guest) key() (*ecdsa.PrivateKey, []byte, error) {
	path := filepath.Join(g.agent, "key.pem")
	text, err := os.ReadFile(path)
	if err == nil {
		key, err := pki.ParseKey(text)
		return key, text, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("read key: %w", err)
	}
	key, err := pki.NewKey()
	if err != nil {
		return nil, nil, err
	}
	if text, err = pki.KeyPEM(key); err != nil {
		return nil, nil, err
	}
	return key, text, durable.WriteFile(path, text, 0o600)
}

// forgetBootstrap is also done at each start, for an agent that died in the middle of its enrolment.
func (g *Guest) forgetBootstrap() error {
	for _, name := range []string{"cert.pem", "key.pem"} {
		if err := os.Remove(filepath.Join(g.bootstrap, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove bootstrap identity: %w", err)
		}
	}
	return nil
}

func read(folder string) (*pki.Identity, error) {
	var texts [3][]byte
	for i, name := range []string{"cert.pem", "key.pem", "ca.pem"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		texts[i] = text
	}
	return pki.NewIdentity(texts[0], texts[1], texts[2])
}
