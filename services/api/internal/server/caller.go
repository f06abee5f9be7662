package server

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/coffer-dbaas/coffer/pkg/errs"
	"github.com/coffer-dbaas/coffer/services/api/internal/catalog"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
	"github.com/coffer-dbaas/coffer/services/api/internal/policy"
	"github.com/coffer-dbaas/coffer/services/api/internal/store"
	"github.com/coffer-dbaas/coffer/services/api/internal/view"
)

// callerOf is who asks. The interceptors let nobody in without a good token.
func callerOf(ctx context.Context) identity.Caller {
	caller, _ := identity.FromContext(ctx)
	return caller
}

// authorise checks a rule about what belongs to the caller's own project.
func (s *Server) authorise(ctx context.Context, rule string) (identity.Caller, error) {
	caller := callerOf(ctx)
	return caller, s.Policy.Check(caller, rule, caller.ProjectID)
}

// scope is the project in which a caller finds resources by their id: an admin finds them in all.
func scope(caller identity.Caller) string {
	if policy.IsAdmin(caller) {
		return ""
	}
	return caller.ProjectID
}

// validID refuses what cannot be an id in the way an unknown id is refused: clients probe names like this.
func validID(id string) error {
	if uuid.Validate(id) != nil || len(id) != 36 {
		return notFound(id)
	}
	return nil
}

func notFound(id string) error {
	return errs.New(errs.NotFound, "NOT_FOUND", "Resource %s cannot be found.", id)
}

// named puts the id into the store's answer that there is nothing.
func named(id string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return notFound(id)
	}
	return err
}

// writer writes answers to the caller. What exists is shown even while nothing is known of the provider.
func (s *Server) writer(ctx context.Context) (view.Writer, error) {
	c, err := s.Catalog.Get(ctx)
	if err != nil && !errors.Is(err, catalog.ErrUnknown) {
		return view.Writer{}, err
	}
	return view.New(c, s.Settings.PublicURL, callerOf(ctx), s.Now()), nil
}

// offers writes answers about what the provider offers, which must be known for it.
func (s *Server) offers(ctx context.Context, rule string) (*catalog.Catalog, view.Writer, error) {
	caller, err := s.authorise(ctx, rule)
	if err != nil {
		return nil, view.Writer{}, err
	}
	c, err := s.Catalog.Get(ctx)
	if err != nil {
		return nil, view.Writer{}, err
	}
	return c, view.New(c, s.Settings.PublicURL, caller, s.Now()), nil
}
