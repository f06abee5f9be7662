package api

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity/builtin"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity/keystone"
)

// BootstrapUsers makes the users file of a new control plane, with the users demo, reader and admin. keep is given
// their passwords before the file is put in its place: nothing else knows them. A file that is there stays as it is.
func BootstrapUsers(path string, keep func(passwords map[string]string) error) error {
	if err := builtin.Bootstrap(path, keep); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// identityService is whoever says whom a token stands for.
type identityService struct {
	authenticator identity.Authenticator
	// ready says why it cannot tell now.
	ready func(context.Context) error
	// url is where clients get their tokens.
	url string
	// handler is the built-in one's own face; nil for a Keystone elsewhere, which has its own.
	handler http.Handler
}

func (a *API) openIdentity() (identityService, error) {
	config := a.config.Identity
	if config.Provider == IdentityKeystone {
		service, err := keystone.Open(config.Keystone, a.deps.Now, a.deps.Logger)
		if err != nil {
			return identityService{}, err
		}
		return identityService{authenticator: service, ready: service.Ready, url: service.URL()}, nil
	}
	config.Builtin.PublicURL = a.config.PublicURL
	service, err := builtin.Open(config.Builtin, a.store, a.deps.Now, a.deps.Logger)
	if err != nil {
		return identityService{}, err
	}
	// It is where the state is, whose readiness is told apart.
	ready := func(context.Context) error { return nil }
	return identityService{authenticator: service, ready: ready, url: service.URL(), handler: service.Handler()}, nil
}

// IdentityHandler is the built-in Keystone. It stands wherever it is mounted. It is nil where the users are those of a
// Keystone elsewhere.
func (a *API) IdentityHandler() http.Handler { return a.identity.handler }

// IdentityURL is where clients get their tokens.
func (a *API) IdentityURL() string { return a.identity.url }
