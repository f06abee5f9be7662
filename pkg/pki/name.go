package pki

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

const scheme = "coffer"

// The kinds of names.
const (
	KindInstance    = "instance"
	KindBootstrap   = "bootstrap"
	KindTaskmanager = "taskmanager"
	KindAPI         = "api"
	KindGateway     = "gateway"
)

// Name is the name of a process: coffer://<kind>/<id>.
type Name string

// InstanceName names an instance's guest agent.
func InstanceName(id string) Name { return newName(KindInstance, id) }

// BootstrapName names a guest agent before its enrolment.
func BootstrapName(id string) Name { return newName(KindBootstrap, id) }

// TaskmanagerName names a taskmanager.
func TaskmanagerName(name string) Name { return newName(KindTaskmanager, name) }

// APIName names an api.
func APIName(name string) Name { return newName(KindAPI, name) }

// GatewayName names a gateway.
func GatewayName(name string) Name { return newName(KindGateway, name) }

func newName(kind, id string) Name {
	return Name((&url.URL{Scheme: scheme, Host: kind, Path: "/" + id}).String())
}

// ParseName reads "<kind>/<id>" or the whole URI, and refuses a kind that does not exist.
func ParseName(text string) (Name, error) {
	kind, id, found := strings.Cut(strings.TrimPrefix(text, scheme+"://"), "/")
	if !found || id == "" || strings.Contains(id, "/") {
		return "", fmt.Errorf("name %q: want <kind>/<name>", text)
	}
	switch kind {
	case KindInstance, KindBootstrap, KindTaskmanager, KindAPI, KindGateway:
		return newName(kind, id), nil
	}
	return "", fmt.Errorf("name %q: unknown kind %q", text, kind)
}

// Kind is the name's first part.
func (n Name) Kind() string { kind, _ := n.split(); return kind }

// ID is the name's second part.
func (n Name) ID() string { _, id := n.split(); return id }

func (n Name) split() (kind, id string) {
	u, err := url.Parse(string(n))
	if err != nil || u.Scheme != scheme {
		return "", ""
	}
	return u.Host, strings.TrimPrefix(u.Path, "/")
}

func (n Name) uri() (*url.URL, error) {
	u, err := url.Parse(string(n))
	if err != nil {
		return nil, fmt.Errorf("name %q: %w", n, err)
	}
	return u, nil
}

// Only allows one name.
func Only(want Name) func(Name) error {
	return func(got Name) error {
		if got != want {
			return errs.New(errs.Forbidden, "WRONG_PEER", "The peer is %s, not %s.", got, want)
		}
		return nil
	}
}

// OnlyKind allows every name of a kind.
func OnlyKind(kind string) func(Name) error {
	return func(got Name) error {
		if got.Kind() != kind {
			return errs.New(errs.Forbidden, "WRONG_PEER", "The peer is %s, not a %s.", got, kind)
		}
		return nil
	}
}

func nameOf(certificate *x509.Certificate) (Name, error) {
	if len(certificate.URIs) != 1 || certificate.URIs[0].Scheme != scheme {
		return "", errs.New(errs.Forbidden, "WRONG_PEER", "The peer's certificate carries no name of Coffer's.")
	}
	return Name(certificate.URIs[0].String()), nil
}
