package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

const (
	caLifetime = 20 * 365 * 24 * time.Hour
	// clockSkew is by how much a guest's clock may be behind the signer's.
	clockSkew = 5 * time.Minute

	caCertificateFile = "ca.pem"
	caKeyFile         = "ca.key"

	pemCertificate = "CERTIFICATE"
	pemKey         = "PRIVATE KEY"
)

// CA signs. It lives in the api alone.
type CA struct {
	certificate *x509.Certificate
	pem         []byte
	key         *ecdsa.PrivateKey
}

// Signed is a signed certificate.
type Signed struct {
	CertificatePEM []byte
	// PublicKey is the subject's, PKIX, DER.
	PublicKey []byte
	Expires   time.Time
}

// OpenCA reads the CA of a folder (ca.pem, ca.key), and makes it when there is none. The folder is created with mode
// 0700, the key with 0600.
func OpenCA(dir string) (*CA, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open CA: %w", err)
	}
	keyPEM, err := os.ReadFile(filepath.Join(dir, caKeyFile))
	if errors.Is(err, os.ErrNotExist) {
		return createCA(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open CA: %w", err)
	}
	certificatePEM, err := os.ReadFile(filepath.Join(dir, caCertificateFile))
	if err != nil {
		return nil, fmt.Errorf("open CA: %w", err)
	}
	key, err := ParseKey(keyPEM)
	if err != nil {
		return nil, fmt.Errorf("open CA: %w", err)
	}
	certificate, err := parseCertificate(certificatePEM)
	if err != nil {
		return nil, fmt.Errorf("open CA: %w", err)
	}
	return &CA{certificate: certificate, pem: certificatePEM, key: key}, nil
}

// createCA writes the key last: a crash in between leaves no key, and the next start begins anew.
func createCA(dir string) (*CA, error) {
	key, err := NewKey()
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "Coffer CA"},
		NotBefore:             time.Now().Add(-clockSkew),
		NotAfter:              time.Now().Add(caLifetime),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("create CA: %w", err)
	}
	keyPEM, err := KeyPEM(key)
	if err != nil {
		return nil, err
	}
	certificatePEM := encode(pemCertificate, der)
	if err := writeFile(filepath.Join(dir, caCertificateFile), certificatePEM, 0o644); err != nil {
		return nil, fmt.Errorf("create CA: %w", err)
	}
	if err := writeFile(filepath.Join(dir, caKeyFile), keyPEM, 0o600); err != nil {
		return nil, fmt.Errorf("create CA: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("create CA: %w", err)
	}
	return &CA{certificate: certificate, pem: certificatePEM, key: key}, nil
}

// PEM is the CA's certificate.
func (ca *CA) PEM() []byte { return ca.pem }

// Issue makes a key and a certificate for a name.
func (ca *CA) Issue(name Name, lifetime time.Duration) (certificatePEM, keyPEM []byte, err error) {
	key, err := NewKey()
	if err != nil {
		return nil, nil, err
	}
	request, err := Request(key)
	if err != nil {
		return nil, nil, err
	}
	signed, err := ca.Sign(request, name, lifetime)
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err = KeyPEM(key)
	return signed.CertificatePEM, keyPEM, err
}

// Sign signs a certificate request (PKCS #10, DER) under the given name; what the request says beside its key is
// ignored.
func (ca *CA) Sign(request []byte, name Name, lifetime time.Duration) (Signed, error) {
	parsed, err := x509.ParseCertificateRequest(request)
	if err != nil {
		return Signed{}, fmt.Errorf("sign for %s: read request: %w", name, err)
	}
	if err := parsed.CheckSignature(); err != nil {
		return Signed{}, fmt.Errorf("sign for %s: check request: %w", name, err)
	}
	uri, err := name.uri()
	if err != nil {
		return Signed{}, fmt.Errorf("sign: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return Signed{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial,
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     now.Add(lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  usages(name),
		URIs:         []*url.URL{uri},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, parsed.PublicKey, ca.key)
	if err != nil {
		return Signed{}, fmt.Errorf("sign for %s: %w", name, err)
	}
	publicKey, err := x509.MarshalPKIXPublicKey(parsed.PublicKey)
	if err != nil {
		return Signed{}, fmt.Errorf("sign for %s: %w", name, err)
	}
	return Signed{CertificatePEM: encode(pemCertificate, der), PublicKey: publicKey, Expires: template.NotAfter}, nil
}

// usages lets guests be called and nothing else: a stolen guest key cannot call anybody.
func usages(name Name) []x509.ExtKeyUsage {
	switch name.Kind() {
	case KindInstance, KindBootstrap:
		return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	case KindTaskmanager, KindGateway:
		return []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
}

// NewKey makes a private key.
func NewKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	return key, nil
}

// KeyPEM writes a key as PKCS #8.
func KeyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return encode(pemKey, der), nil
}

// ParseKey reads what KeyPEM wrote.
func ParseKey(text []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemKey {
		return nil, errors.New("parse key: no PEM private key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse key: %w", err)
	}
	ecKey, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("parse key: want ECDSA, got %T", key)
	}
	return ecKey, nil
}

// Request makes a certificate request (PKCS #10, DER) for a key.
func Request(key *ecdsa.PrivateKey) ([]byte, error) {
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		return nil, fmt.Errorf("make certificate request: %w", err)
	}
	return request, nil
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemCertificate {
		return nil, errors.New("parse certificate: no PEM certificate")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse certificate: %w", err)
	}
	return certificate, nil
}

func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	return serial, nil
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// writeFile writes whole files or none: a crash leaves the old one.
func writeFile(path string, content []byte, mode os.FileMode) error {
	temporary, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	if _, err := temporary.Write(content); err != nil {
		return errors.Join(err, temporary.Close())
	}
	if err := temporary.Sync(); err != nil {
		return errors.Join(err, temporary.Close())
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
